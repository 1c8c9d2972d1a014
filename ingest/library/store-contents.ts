import { sql } from "drizzle-orm";
import type { ListedContent } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { factColumns, queueChanges } from "./content-columns.ts";

export type StoreOutcome = "created" | "changed" | "unchanged";

/**
 * Makes contents durable as they are said to be: what is left out of one is unknown from now on. Of several with one
 * id the last counts. @returns what became of each id.
 *
 * Every content that is not as it was gets its next version, and is queued in the same statement, so that no crash
 * comes between. A created one is queued as well, for it may have been watched before it was known. Rows are locked in
 * the order of their ids, so concurrent batches cannot deadlock.
 */
export async function storeContents(
  db: Database,
  contents: readonly ListedContent[],
): Promise<Map<ContentId, StoreOutcome>> {
  const last = new Map(contents.map((content) => [content.content_id, content]));
  if (last.size === 0) return new Map();
  const given = JSON.stringify([...last.values()]);
  const rows = await db.execute(sql`
    WITH stored AS (
      INSERT INTO contents AS l (content_id, ${factColumns()})
      SELECT content_id, ${factColumns()}
      FROM jsonb_to_recordset(${given}::text::jsonb)
        AS g (content_id text, ${factColumns((name, type) => `${name} ${type}`)})
      ORDER BY content_id COLLATE "C"
      ON CONFLICT (content_id) DO UPDATE SET
        ${factColumns((name) => `${name} = excluded.${name}`)},
        removed = false, rev = l.rev + 1, updated_at = now()
      WHERE l.removed OR (${factColumns((name) => `l.${name}`)})
        IS DISTINCT FROM (${factColumns((name) => `excluded.${name}`)})
      RETURNING content_id, rev
    ),
    queued AS (${queueChanges(sql`stored`)})
    SELECT content_id, stored.rev = 1 OR coalesce(before.removed, false) AS created
    FROM stored LEFT JOIN contents before USING (content_id)
  `);

  const outcomes = new Map<ContentId, StoreOutcome>();
  for (const content_id of last.keys()) outcomes.set(content_id, "unchanged");
  for (const { content_id, created } of rows as unknown as StoredContent[]) {
    outcomes.set(content_id, created ? "created" : "changed");
  }
  return outcomes;
}

/** `created`: the catalogue, as it was before this statement, did not have it. */
type StoredContent = { content_id: ContentId; created: boolean };
