import { type SQL, sql } from "drizzle-orm";
import type { HistoryRow } from "../rows.ts";

/** A row with its mask, and the oldest stamp that it shows; null when it shows none. */
export type StoredRow = HistoryRow & {
  deleted_at: number;
  oldest_at: number | null;
  /** Whether the statement that answers with it changed it, where that was asked. */
  changed?: boolean;
  /** It is as it was before what happened, where that was asked: there is nothing to tell of it. */
  quiet?: boolean;
};

/** Rows of `listitems` (a table or a CTE) as `StoredRow`, and with whatever `more` columns of `i` are asked for. */
export function rowsOf(items: SQL, more = sql``): SQL {
  return sql`SELECT i.user_id, i.content_id, i.catalog_id, i.playback_time, i.duration, i.watched_at,
    i.completed_at, i.deleted_at, i.rev,
    CASE WHEN greatest(i.marked_at, i.dismissed_at) > 0 THEN
      ARRAY[i.position_at, i.marked_at, i.marked::int, CASE WHEN i.dismissed THEN i.dismissed_at ELSE 0 END]
    END AS said,
    least(nullif(i.position_at, 0), nullif(i.duration_at, 0), nullif(i.catalog_at, 0), nullif(i.completed_at, 0),
      nullif(i.marked_at, 0), nullif(i.dismissed_at, 0)) AS oldest_at${more}
    FROM ${items} i`;
}
