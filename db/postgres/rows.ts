import { type SQL, sql } from "drizzle-orm";
import type { HistoryRow } from "../rows.ts";

/** A row with its mask, and the oldest stamp that it shows; null when it shows none. */
export type StoredRow = HistoryRow & { deleted_at: number; oldest_at: number | null };

/** Rows of `listitems` (a table or a CTE) as `StoredRow`. */
export function rowsOf(items: SQL): SQL {
  return sql`SELECT i.user_id, i.content_id, i.catalog_id, i.playback_time, i.duration, i.position_at,
    i.completed_at, i.deleted_at, i.rev,
    least(nullif(i.position_at, 0), nullif(i.duration_at, 0), nullif(i.catalog_at, 0), nullif(i.completed_at, 0))
      AS oldest_at
    FROM ${items} i`;
}
