import type { Beat } from "../beat.ts";
import type { Deed } from "../deeds.ts";

/**
 * The server may have taken it for so much later, because it had to correct the device's clock, or because its time is
 * when it arrived.
 */
export type Late = { late: number };
export type Heard = Beat & Late;
export type Done = Deed & Late;

/** A time in epoch milliseconds, both ends included. */
export type Range = { from: number; to: number };

/** The player said so, or the event itself shows it. */
export function completes({ action, playback_time, duration }: Beat): boolean {
  return action === "finish" || (duration !== null && duration > 0 && playback_time / duration > 0.95);
}
