import type { Content } from "../../db/contract/contents.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { type Catalogue, watchedBy } from "./catalogue.ts";

/** How many items users have. */
export const SIZES = [20, 200, 2_000] as const;
export type Size = (typeof SIZES)[number];

export type Viewer = { user: UserId; watched: readonly Content[] };
/** Users who have equally many items. */
export type Crowd = { size: Size; viewers: readonly Viewer[] };
export type Crowds = Record<Size, Crowd>;

/** The same users in every store that has them: more of them come behind. */
export function crowdsOf(users: Record<Size, number>, contents: Catalogue): Crowds {
  const crowd = (size: Size): Crowd => ({
    size,
    viewers: Array.from({ length: users[size] }, (_, n) => ({
      user: `viewer-${size}-${n}` as UserId,
      watched: watchedBy(size * 1_000_003 + n, size, contents),
    })),
  });
  return { 20: crowd(20), 200: crowd(200), 2000: crowd(2_000) };
}

export function recordsIn(crowds: Crowds): number {
  return SIZES.reduce((sum, size) => sum + size * crowds[size].viewers.length, 0);
}

/**
 * All their rows, in the order of time across users, as they come in life: what one user watched never lies together
 * in an index that everybody's records share.
 */
export function rowsInTime({ size, viewers }: Crowd): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let at = 0; at < size; at++) {
    for (const { user, watched } of viewers) {
      const content = watched[at];
      if (content) rows.push(rowOf(user, content, at));
    }
  }
  return rows;
}

/** @param at how many minutes after the beginning it was watched. */
export function rowOf(user: UserId, { content_id }: Content, at: number, its: Partial<HistoryRow> = {}) {
  const row: HistoryRow = {
    ...{ user_id: user, content_id, catalog_id: "catalogue-1", playback_time: 1_800, duration: 5_400 },
    ...{ watched_at: START + at * 60_000, completed_at: 0, said: null, rev: 1 },
    ...its,
  };
  return row;
}

const START = Date.UTC(2026, 0, 1);
