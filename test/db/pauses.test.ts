import fc from "fast-check";
import { expect, test } from "vitest";
import { isWithin, pausedSince, pausesOf } from "../../db/contract/pauses.ts";

const END = Number.MAX_SAFE_INTEGER;

test.each([
  [[], [], []],
  [[5], [], [{ from: 5, to: END }]],
  [[5], [9], [{ from: 5, to: 8 }]],
  [[], [9], []],
  [[5], [5], [{ from: 5, to: END }]],
  [[5, 6], [9], [{ from: 5, to: 8 }]],
  [
    [20, 5],
    [9, 30, 12],
    [
      { from: 5, to: 8 },
      { from: 20, to: 29 },
    ],
  ],
])("paused at %j and resumed at %j is %j", (paused_at, resumed_at, pauses) => {
  expect(pausesOf({ paused_at, resumed_at })).toEqual(pauses);
});

test("an instant is in a pause when the last switch up to then says so, whatever order they are told in", () => {
  const instants = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 });
  fc.assert(
    fc.property(instants, instants, fc.integer({ min: 1, max: 35 }), (paused_at, resumed_at, at) => {
      const last = (all: number[]) => Math.max(0, ...all.filter((time) => time <= at));
      const paused = last(paused_at) > 0 && last(paused_at) >= last(resumed_at);
      const pauses = pausesOf({ paused_at, resumed_at });
      expect(isWithin(pauses, at)).toBe(paused);
      expect(pausedSince({ paused_at, resumed_at }, at) !== null).toBe(paused);
    }),
    { numRuns: 2_000 },
  );
});
