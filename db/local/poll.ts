/**
 * Asks for a fact every few milliseconds until it is there.
 *
 * @returns the fact, or undefined when the deadline came first.
 */
export async function poll<T>(
  fact: () => Promise<T | false | undefined> | T | false | undefined,
  timeout: number,
): Promise<T | undefined> {
  const deadline = performance.now() + timeout;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    const found = await fact();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
