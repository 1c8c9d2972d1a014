/** So many messages at once, and so many a second for as long as one likes. */
const BURST = 40;
const A_SECOND = 20;
/** Whoever goes on although so many were refused is cut. */
const REFUSED_BURST = 200;
const REFUSED_A_SECOND = 5;

/** How much one connection may say. */
export type Patience = { messages: Bucket; refused: Bucket };
type Bucket = { left: number; at: number };

export function fullPatience(now: number): Patience {
  return { messages: { left: BURST, at: now }, refused: { left: REFUSED_BURST, at: now } };
}

/** One more message: it is heard, it is too fast, or the last straw. */
export function strain({ messages, refused }: Patience, now: number): "heard" | "too_fast" | "cut" {
  if (take(messages, now, BURST, A_SECOND)) return "heard";
  return take(refused, now, REFUSED_BURST, REFUSED_A_SECOND) ? "too_fast" : "cut";
}

function take(bucket: Bucket, now: number, most: number, aSecond: number): boolean {
  bucket.left = Math.min(most, bucket.left + (Math.max(0, now - bucket.at) / 1_000) * aSecond);
  bucket.at = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}
