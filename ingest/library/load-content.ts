import { sql } from "drizzle-orm";
import type { ListedContent } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { factColumns } from "./content-columns.ts";

/** A content, and how many viewers have its last change so far; null when all of them have it. */
export type LoadedContent = { content: ListedContent; viewers: number | null };

/** A content of the catalogue, or null when it is not there or was taken out. */
export async function loadContent(db: Database, content_id: ContentId): Promise<LoadedContent | null> {
  const rows = await db.execute(sql`
    SELECT content_id, ${factColumns()}, viewers
    FROM contents LEFT JOIN content_changes USING (content_id)
    WHERE content_id = ${content_id} AND NOT removed
  `);
  const [row] = rows as unknown as (ListedContent & { viewers: number | null })[];
  if (!row) return null;
  const { viewers, ...content } = row;
  return { content, viewers };
}
