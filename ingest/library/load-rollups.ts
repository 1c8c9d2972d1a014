import { sql } from "drizzle-orm";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";

/** What plays of a content come to, by measure; null when nobody watched it and the catalogue does not know it. */
export async function loadRollups(db: Database, content_id: ContentId): Promise<Map<string, number> | null> {
  const rows = await db.execute(sql`
    SELECT measure, count FROM content_rollups WHERE content_id = ${content_id} AND measure NOT LIKE 'rating:%'
    UNION ALL SELECT '', 0 FROM contents WHERE content_id = ${content_id} AND NOT removed
  `);
  const counts = rows as unknown as { measure: string; count: number }[];
  return counts.length === 0 ? null : new Map(counts.map(({ measure, count }) => [measure, count]));
}
