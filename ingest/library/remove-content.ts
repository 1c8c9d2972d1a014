import { sql } from "drizzle-orm";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { factColumns, queueChanges } from "./content-columns.ts";

/**
 * Takes a content out of the catalogue: nothing is known of it any more. The row stays, so that its version goes on
 * and the views of viewers learn of it. @returns false when it was not there.
 */
export async function removeContent(db: Database, content_id: ContentId): Promise<boolean> {
  const rows = await db.execute(sql`
    WITH gone AS (
      UPDATE contents SET
        ${factColumns((name) => `${name} = DEFAULT`)}, removed = true, rev = rev + 1, updated_at = now()
      WHERE content_id = ${content_id} AND NOT removed
      RETURNING content_id, rev
    ),
    queued AS (${queueChanges(sql`gone`)})
    SELECT content_id FROM gone
  `);
  return rows.length > 0;
}
