/** How many connections there were from a time on. */
export type Sample = { at: number; count: number };

/**
 * How many watched between two times: at most at one time, and on the average, where each count weighs as long as it
 * lasted. Before the first there was nobody.
 *
 * @param samples oldest first.
 */
export function viewing(
  samples: readonly Sample[],
  { from, to }: { from: number; to: number },
): { peak: number; average: number } {
  let [peak, sum] = [0, 0];
  for (const [n, { at, count }] of samples.entries()) {
    const until = Math.min(samples[n + 1]?.at ?? to, to);
    sum += count * Math.max(until - Math.max(at, from), 0);
    peak = Math.max(peak, count);
  }
  return { peak, average: to > from ? sum / (to - from) : 0 };
}
