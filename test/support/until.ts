/**
 * Waits for a fact, not for time: asks again and again, soon at first, until the answer is truthy.
 *
 * A deadline that passes throws what was waited for and what was seen last. An error while asking
 * counts as "not yet", so a server that is down may come up meanwhile.
 */
export async function until<T>(fact: () => Awaitable<T | Falsy>, options: UntilOptions = {}): Promise<T> {
  const { timeout = 10_000, what = fact.toString() } = options;
  const deadline = performance.now() + timeout;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 50)) {
    let seen: string;
    try {
      const answer = await fact();
      if (answer) return answer;
      seen = `last seen: ${JSON.stringify(answer) ?? "undefined"}`;
    } catch (error) {
      seen = `last error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${timeout} ms in vain for: ${what}\n${seen}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

type Falsy = false | null | undefined | 0 | "";
type Awaitable<T> = T | Promise<T>;
type UntilOptions = { timeout?: number; what?: string };
