import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";

/** Remembers up to when histories are cleared; the later time counts. Answers with what is remembered now. */
export async function markCleared(
  db: Database,
  cleared: ReadonlyMap<UserId, number>,
): Promise<Map<UserId, number>> {
  if (cleared.size === 0) return new Map();
  const marks = [...cleared].sort(([a], [b]) => (a < b ? -1 : 1));
  const users = marks.map(([user]) => user);
  const times = marks.map(([, time]) => time);
  return marksOf(
    await db.execute(sql`
      INSERT INTO history_users AS h (user_id, cleared_at)
      SELECT * FROM unnest(${column(users, "text")}, ${column(times, "bigint")})
      ON CONFLICT (user_id) DO UPDATE SET cleared_at = greatest(h.cleared_at, excluded.cleared_at)
      RETURNING user_id, cleared_at
    `),
  );
}

/** Up to when these users' histories are cleared; users who never cleared theirs are left out. */
export async function clearedUsers(db: Database, users: readonly UserId[]): Promise<Map<UserId, number>> {
  return marksOf(
    await db.execute(sql`
      SELECT user_id, cleared_at FROM history_users
      WHERE user_id = ANY(${column(users, "text")}) AND cleared_at > 0
    `),
  );
}

/**
 * Empties what these users' marks cover: what is forgotten is not kept. Answers with the rows that are still
 * shown though they lost something, also when an earlier attempt had emptied them. Rows that are wholly
 * forgotten are not answered: the mark itself takes them out of the views.
 */
export async function emptyCleared(db: Database, users: readonly UserId[]): Promise<StoredRow[]> {
  if (users.length === 0) return [];
  const rows = await db.execute(sql`
    WITH covered AS (
      SELECT l.user_id, l.content_id, u.cleared_at AS mask
      FROM listitems l JOIN history_users u USING (user_id)
      WHERE l.user_id = ANY(${column(users, "text")}) AND l.playlist = ${WATCH_HISTORY}
        AND (l.deleted_at < u.cleared_at AND (
            l.position_at BETWEEN 1 AND u.cleared_at OR l.duration_at BETWEEN 1 AND u.cleared_at
            OR l.catalog_at BETWEEN 1 AND u.cleared_at OR l.completed_at BETWEEN 1 AND u.cleared_at)
          OR l.deleted_at = u.cleared_at AND l.position_at > 0)
      ORDER BY l.user_id, l.content_id
      FOR UPDATE OF l
    ),
    emptied AS (
      UPDATE listitems l SET
        playback_time = CASE WHEN l.position_at > mask THEN l.playback_time ELSE 0 END,
        position_at = CASE WHEN l.position_at > mask THEN l.position_at ELSE 0 END,
        position_event_id = CASE WHEN l.position_at > mask THEN l.position_event_id ELSE '' END,
        duration = CASE WHEN l.duration_at > mask THEN l.duration END,
        duration_at = CASE WHEN l.duration_at > mask THEN l.duration_at ELSE 0 END,
        catalog_id = CASE WHEN l.catalog_at > mask THEN l.catalog_id END,
        catalog_at = CASE WHEN l.catalog_at > mask THEN l.catalog_at ELSE 0 END,
        completed_at = CASE WHEN l.completed_at > mask THEN l.completed_at ELSE 0 END,
        deleted_at = mask,
        rev = l.rev + (l.deleted_at < mask)::int,
        updated_at = CASE WHEN l.deleted_at < mask THEN now() ELSE l.updated_at END
      FROM covered
      WHERE l.user_id = covered.user_id AND l.playlist = ${WATCH_HISTORY} AND l.content_id = covered.content_id
      RETURNING l.*
    )
    ${rowsOf(sql`emptied`)}
    WHERE i.position_at > 0
  `);
  return rows as unknown as StoredRow[];
}

function marksOf(rows: unknown): Map<UserId, number> {
  const marks = rows as { user_id: UserId; cleared_at: number }[];
  return new Map(marks.map(({ user_id, cleared_at }) => [user_id, cleared_at]));
}
