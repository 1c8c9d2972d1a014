import { sql } from "drizzle-orm";
import type { UserId } from "../contract/ids.ts";
import type { Database } from "./connect.ts";
import { WATCH_HISTORY } from "./schema/playlists.ts";
import { inTransaction, type Transaction } from "./transaction.ts";

/** The rows of a user, gone for good. Each answers with how many there were. */

/**
 * The plays of a user, and what they count for in the rollups of their contents. Whatever changes plays holds the locks of
 * their items, in this order: so what is taken off is what was counted.
 */
export async function erasePlays(db: Database, user: UserId): Promise<number> {
  return await inTransaction(db, async (tx) => {
    await tx.execute(sql`
      SELECT FROM listitems WHERE user_id = ${user} AND playlist = ${WATCH_HISTORY}
      ORDER BY user_id, content_id FOR UPDATE
    `);
    return await counted(
      tx,
      sql`
      WITH gone AS (
        DELETE FROM plays WHERE user_id = ${user} RETURNING content_id, started_at, completed_at, reached
      ),
      counted AS (
        SELECT content_id, 'plays' AS measure, count(*) AS count FROM gone WHERE started_at > 0 GROUP BY 1
        UNION ALL
        SELECT content_id, 'viewers', 1 FROM gone WHERE started_at > 0 GROUP BY 1
        UNION ALL
        SELECT content_id, 'completions', count(*) FROM gone WHERE completed_at IS NOT NULL GROUP BY 1
        UNION ALL
        SELECT content_id, 'reached:' || reached, count(*) FROM gone WHERE reached IS NOT NULL GROUP BY 1, 2
      ),
      rolled AS (
        INSERT INTO content_rollups AS r (content_id, measure, count)
        SELECT content_id, measure, -count FROM counted
        ORDER BY content_id COLLATE "C", measure COLLATE "C"
        ON CONFLICT (content_id, measure) DO UPDATE SET count = r.count + excluded.count
      )
      SELECT count(*) AS count FROM gone`,
    );
  });
}

/** The items of one list, and the list. */
export async function eraseList(db: Database, user: UserId, playlist: string): Promise<number> {
  return await inTransaction(db, async (tx) => {
    await tx.execute(sql`
      SELECT FROM listitems WHERE user_id = ${user} AND playlist = ${playlist}
      ORDER BY user_id, content_id FOR UPDATE
    `);
    return await counted(
      tx,
      sql`
      WITH gone AS (DELETE FROM listitems WHERE user_id = ${user} AND playlist = ${playlist} RETURNING 1),
      list AS (DELETE FROM playlists WHERE user_id = ${user} AND name = ${playlist})
      SELECT count(*) AS count FROM gone`,
    );
  });
}

/** The ratings of a user, and what they count for in the rollups of their contents. */
export async function eraseRatings(db: Database, user: UserId): Promise<number> {
  return await counted(
    db,
    sql`
    WITH gone AS (DELETE FROM ratings WHERE user_id = ${user} RETURNING content_id, rating),
    rolled AS (
      INSERT INTO content_rollups AS r (content_id, measure, count)
      SELECT content_id, 'rating:' || rating, -1 FROM gone
      ORDER BY content_id COLLATE "C", ('rating:' || rating) COLLATE "C"
      ON CONFLICT (content_id, measure) DO UPDATE SET count = r.count + excluded.count
    )
    SELECT count(*) AS count FROM gone`,
  );
}

/** What a table holds under the id of a user. */
export async function eraseFrom(db: Database, user: UserId, table: OwnTable): Promise<number> {
  const name = sql.identifier(table);
  return await counted(
    db,
    sql`
    WITH gone AS (DELETE FROM ${name} WHERE user_id = ${user} RETURNING 1)
    SELECT count(*) AS count FROM gone`,
  );
}

/** Tables that nothing is counted from, and nothing hangs on. */
export type OwnTable = "history_users" | "profiles" | "outbox" | "playlists" | "watch_party_members";

/** All that turns store of a user. */
export async function eraseHistory(db: Database, user: UserId): Promise<void> {
  await erasePlays(db, user);
  await eraseList(db, user, WATCH_HISTORY);
  await eraseFrom(db, user, "history_users");
}

async function counted(db: Transaction, statement: ReturnType<typeof sql>): Promise<number> {
  const rows = (await db.execute(statement)) as unknown as { count: number }[];
  return Number(rows[0]?.count ?? 0);
}
