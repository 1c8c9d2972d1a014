import type { PartyRecord } from "./room-store.ts";

/** How many watched at most, as far as it waits for Postgres. */
export function peakIn(buffered: readonly PartyRecord[]): number {
  return buffered.reduce((peak, its) => (its.kind === "viewers" ? Math.max(peak, its.count) : peak), 0);
}
