import type { ContentId, UserId } from "./contract/ids.ts";
import type { Progress } from "./contract/views.ts";

/**
 * The current row of one history item, as Postgres answers it and as it is projected. Times are epoch
 * milliseconds, 0 for never: `position_at` is 0 when the item is forgotten.
 */
export type HistoryRow = Progress & {
  user_id: UserId;
  content_id: ContentId;
  /** The version of the row: +1 at every change, under its lock. */
  rev: number;
  /** What the catalogue knows; its rev is 0 while it knows nothing. */
  content_rev: number;
  title: string | null;
  thumbnail: string | null;
};
