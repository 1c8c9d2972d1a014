/** A clock that moves only when told to. */
export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let time = start;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

export type TestClock = {
  /** Milliseconds since 1970. */
  now(): number;
  advance(ms: number): void;
};
