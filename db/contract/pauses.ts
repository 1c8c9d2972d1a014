/** When a history was paused, and when it went on: epoch milliseconds, in no order. */
export type Pauses = { paused_at: readonly number[]; resumed_at: readonly number[] };

/** A stretch of time in epoch milliseconds, both ends included. */
export type Stretch = { from: number; to: number };

/**
 * The pauses of a history. Each lasts from when it was paused to just before it next went on; of both at the same
 * instant the pause counts.
 */
export function pausesOf({ paused_at, resumed_at }: Pauses): Stretch[] {
  const pauses: Stretch[] = [];
  for (const from of paused_at.toSorted((a, b) => a - b)) {
    if (from <= (pauses.at(-1)?.to ?? 0)) continue;
    const end = Math.min(...resumed_at.filter((at) => at > from));
    pauses.push({ from, to: Math.min(end - 1, Number.MAX_SAFE_INTEGER) });
  }
  return pauses;
}

export function isWithin(stretches: readonly Stretch[], at: number): boolean {
  return stretches.some(({ from, to }) => from <= at && at <= to);
}

/** Since when a history is paused; null when it is not. */
export function pausedSince(pauses: Pauses, now: number): number | null {
  return pausesOf(pauses).find(({ from, to }) => from <= now && now <= to)?.from ?? null;
}
