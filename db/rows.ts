import type { ContentId, UserId } from "./contract/ids.ts";

/**
 * The current row of one history item, as Postgres answers it. Times are epoch milliseconds, 0 for never.
 */
export type HistoryRow = {
  user_id: UserId;
  content_id: ContentId;
  /** The version of the row: +1 at every change, under its lock. */
  rev: number;
  /** When it was last watched or marked as watched; 0 when it is not in the history. */
  watched_at: number;
  playback_time: number;
  /** As players reported it; null when none did. */
  duration: number | null;
  completed_at: number;
  catalog_id: string | null;
  /** What the viewer said of it; null for nothing. */
  said: Said | null;
};

/** What a viewer said of an item, other than by watching it; `position_at` is when it was last watched, then. */
export type Said = [position_at: number, marked_at: number, marked: 0 | 1, dismissed_at: number];
