import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { HistoryRow } from "../../db/rows.ts";

/** A row as Postgres would answer it: watched to the half hour, some time in 2026. */
export function historyRow(user: string, content: string, its: Partial<HistoryRow> = {}): HistoryRow {
  return {
    user_id: user as UserId,
    content_id: content as ContentId,
    catalog_id: null,
    playback_time: 1_800,
    duration: 5_400,
    position_at: Date.UTC(2026, 0, 1),
    completed_at: 0,
    rev: 1,
    content_rev: 0,
    title: null,
    thumbnail: null,
    ...its,
  };
}
