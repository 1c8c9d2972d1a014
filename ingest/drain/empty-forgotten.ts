import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import { REGISTERS, stampOf } from "./registers.ts";

/**
 * Empties what these users' marks cover - what was cleared, and what happened in a pause - for what is forgotten is
 * not kept. Answers with the rows that are still shown though a clear took something from them, also when an earlier
 * attempt had emptied them. Rows that are wholly cleared are not answered: the mark itself takes them out of the views.
 */
export async function emptyForgotten(db: Transaction, users: readonly UserId[]): Promise<StoredRow[]> {
  if (users.length === 0) return [];
  const rows = await db.execute(sql`
    WITH covered AS (
      SELECT l.user_id, l.content_id, u.cleared_at AS mask, u.paused_at, u.resumed_at
      FROM listitems l JOIN history_users u USING (user_id)
      WHERE l.user_id = ANY(${column(users, "text")}) AND l.playlist = ${WATCH_HISTORY}
        AND ((${cleared("u.cleared_at")}) OR (${paused("u")}) OR l.deleted_at = u.cleared_at AND l.watched_at > 0)
      ORDER BY l.user_id, l.content_id
      FOR UPDATE OF l
    ),
    emptied AS (
      UPDATE listitems l SET
        ${emptied()},
        deleted_at = greatest(l.deleted_at, mask),
        rev = l.rev + (l.deleted_at < mask OR ${paused("covered")})::int,
        updated_at = CASE WHEN l.deleted_at < mask OR ${paused("covered")} THEN now() ELSE l.updated_at END
      FROM covered
      WHERE l.user_id = covered.user_id AND l.playlist = ${WATCH_HISTORY} AND l.content_id = covered.content_id
      RETURNING l.*
    )
    ${rowsOf(sql`emptied`)}
    WHERE i.watched_at > 0
  `);
  return rows as unknown as StoredRow[];
}

/** The clock that stamps a pause and the one of Postgres may be apart by this much. */
const CLOCKS_MS = 30_000;

/** All rows of these users; those that did not change since the time that is named, in epoch milliseconds, are quiet. */
export async function loadRowsOf(db: Transaction, since: ReadonlyMap<UserId, number>): Promise<StoredRow[]> {
  if (since.size === 0) return [];
  const times = [...since.values()].map((at) => at - CLOCKS_MS);
  const items = sql`(
    SELECT l.*, extract(epoch FROM l.updated_at) * 1000 < s.at AS quiet
    FROM listitems l
    JOIN unnest(${column([...since.keys()], "text")}, ${column(times, "bigint")}) AS s (user_id, at) USING (user_id)
    WHERE l.playlist = ${WATCH_HISTORY}
  )`;
  const rows = await db.execute(rowsOf(items, sql`, i.quiet`));
  return rows as unknown as StoredRow[];
}

const STAMPS = REGISTERS.map(stampOf);

/** Does a row have something to lose to a clear? */
function cleared(mask: string) {
  const stamps = STAMPS.map((stamp) => `l.${stamp} BETWEEN 1 AND ${mask}`);
  return sql.raw(`l.deleted_at < ${mask} AND (${stamps.join(" OR ")})`);
}

/** Does it have something that happened in a pause of `user`? */
function paused(user: string) {
  const stamps = STAMPS.map((stamp) => isPaused(stamp, user));
  return sql.raw(`cardinality(${user}.paused_at) > 0 AND (${stamps.join(" OR ")})`);
}

function emptied() {
  const columns = REGISTERS.flatMap((register) => {
    const stamp = stampOf(register);
    const gone = `l.${stamp} <= mask OR ${isPaused(stamp, "covered")}`;
    return Object.entries(register).map(
      ([name, nothing]) => `${name} = CASE WHEN ${gone} THEN ${nothing} ELSE l.${name} END`,
    );
  });
  return sql.raw(columns.join(", "));
}

/** As `pausesOf` says: after the last pause up to then it did not go on. */
function isPaused(stamp: string, user: string): string {
  const last = (name: string) => `(SELECT max(t) FROM unnest(${user}.${name}) t WHERE t <= l.${stamp})`;
  return `(l.${stamp} > 0 AND coalesce(${last("paused_at")} >= coalesce(${last("resumed_at")}, 0), false))`;
}
