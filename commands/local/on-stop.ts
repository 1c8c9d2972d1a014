/**
 * Calls `stop` at the first signal that asks for it and `force` at the next.
 *
 * npm passes Ctrl-C on although the terminal has sent it to everybody, so what comes twice within a
 * second is the same wish.
 */
export function onStop(stop: () => void, force: () => void): void {
  let asked: number | undefined;
  const hear = () => {
    const now = performance.now();
    if (asked === undefined) {
      asked = now;
      stop();
    } else if (now - asked > SAME_WISH) {
      force();
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, hear);
}

const SAME_WISH = 1_000;
