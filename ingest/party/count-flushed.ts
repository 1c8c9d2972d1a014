import { sql } from "drizzle-orm";
import type { Database } from "../../db/postgres/connect.ts";
import { loadSamples } from "./load-logs.ts";
import { PARTY_COLUMNS, partiesIn } from "./load-party.ts";
import { viewing } from "./viewing.ts";

/** Parties that are counted in one turn. */
const AT_ONCE = 20;

/** Counts how many watched parties of which everything is in Postgres. Whoever counts, it comes to the same. */
export async function countFlushed(db: Database): Promise<void> {
  const parties = await partiesIn(
    db,
    sql`SELECT ${PARTY_COLUMNS} FROM watch_parties p WHERE p.flushed_at > 0 AND p.peak_viewers IS NULL
      LIMIT ${AT_ONCE}`,
  );
  for (const { party_id, started_at, ended_at } of parties) {
    const { peak, average } = viewing(await loadSamples(db, party_id, []), {
      from: started_at,
      to: ended_at,
    });
    await db.execute(sql`
      UPDATE watch_parties SET peak_viewers = ${peak}, average_viewers = ${average}::float8, updated_at = now()
      WHERE party_id = ${party_id} AND peak_viewers IS NULL
    `);
  }
}
