/** One question to the server's clock: when it was asked, what it said, when that came. Milliseconds. */
export type ClockSample = { sent_at: number; server_time: number; received_at: number };

/** So many of the last samples are looked at. */
const SAMPLES = 8;

/**
 * How far the server's clock is ahead of this one, in milliseconds; 0 while there is no sample.
 *
 * A question cannot arrive before it is sent, nor an answer, so each sample bounds the offset from both sides. The
 * quickest question and the quickest answer bound it best, whichever samples they are of: it is in the middle of that.
 */
export function clockOffset(samples: readonly ClockSample[]): number {
  const last = samples.slice(-SAMPLES);
  if (last.length === 0) return 0;
  const atLeast = Math.max(...last.map(({ server_time, received_at }) => server_time - received_at));
  const atMost = Math.min(...last.map(({ server_time, sent_at }) => server_time - sent_at));
  return (atLeast + atMost) / 2;
}
