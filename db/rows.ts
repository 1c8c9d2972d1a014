import type { ContentId, UserId } from "./contract/ids.ts";

/**
 * The current row of one history item, as Postgres answers it. Times are epoch milliseconds, 0 for never:
 * `position_at` is 0 when the item is forgotten.
 */
export type HistoryRow = {
  user_id: UserId;
  content_id: ContentId;
  /** The version of the row: +1 at every change, under its lock. */
  rev: number;
  position_at: number;
  playback_time: number;
  /** As players reported it; null when none did. */
  duration: number | null;
  completed_at: number;
  catalog_id: string | null;
};
