/** False when it fails or takes too long; it goes on by itself then. */
export async function withinTime(work: Promise<boolean>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  work.then(resolve, () => resolve(false));
  return await promise.finally(() => clearTimeout(timer));
}
