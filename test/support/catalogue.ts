import { sql } from "drizzle-orm";
import type { Content } from "../../db/contract/contents.ts";
import type { Database } from "../../db/postgres/connect.ts";

/** Puts contents into the catalogue, or in the place of an earlier version. */
export async function putContents(db: Database, contents: readonly Content[]): Promise<void> {
  const columns = sql.raw(
    "content_id, kind, title, thumbnail, duration, sport, series, teams, show, season, episode, credits_at, rev, removed",
  );
  await db.execute(sql`
    INSERT INTO contents (${columns})
    SELECT ${columns} FROM jsonb_populate_recordset(NULL::contents, ${JSON.stringify(contents)}::text::jsonb)
    ON CONFLICT (content_id) DO UPDATE SET (${columns}) = (
      SELECT ${columns} FROM (SELECT excluded.*) new
    )
  `);
}
