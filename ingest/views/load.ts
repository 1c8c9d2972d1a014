import { type SQL, sql } from "drizzle-orm";
import { alternativesOf, type Dimension, type HistoryFilter } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Cursor } from "../../db/contract/pages.ts";
import { type Facet, facetsInOrder } from "../../db/contract/views.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { HistoryRow } from "../../db/rows.ts";

/** The history of a user as Postgres has it, as far as Redis holds it. */
export type LoadedHistory = {
  /** Newest first. */
  shown: HistoryRow[];
  /** What a slow projection of an older row must not bring back, or up again: revs keep it away. */
  behind: HistoryRow[];
  cleared_at: number;
  /** Items up to this time were left out; 0 when everything is here. */
  floor: number;
  /** The user was erased: there is nothing, and nothing is warm. */
  erased?: true;
};

export async function loadHistory(db: Database, user: UserId, limit: number): Promise<LoadedHistory> {
  const [rows, cleared_at] = await Promise.all([loadRows(db, user, limit + 1), clearedAt(db, user)]);
  const listed = rows.filter((row) => row.listed);
  return {
    shown: listed.slice(0, limit),
    behind: rows.filter((row) => !row.listed),
    cleared_at,
    floor: listed[limit]?.watched_at ?? 0,
  };
}

/**
 * One page of a history out of Postgres, however old: up to `limit` rows after the cursor that fulfil the filter,
 * newest first.
 */
export async function loadPage(
  db: Database,
  user: UserId,
  { after, filter, limit }: { after: Cursor | null; filter: HistoryFilter | null; limit: number },
): Promise<HistoryRow[]> {
  const from = after ? sql`AND (watched_at, content_id) < (${after.watched_at}, ${after.content_id})` : sql``;
  const rows = await db.execute(sql`
    WITH page AS (
      SELECT * FROM listitems ${shownItems(user)} ${from} ${filter ? fulfilling(filter) : sql``}
      ORDER BY watched_at DESC, content_id DESC LIMIT ${limit}
    )
    ${rowsOf(sql`page`)}
    ORDER BY i.watched_at DESC, i.content_id DESC
  `);
  return rows as unknown as StoredRow[];
}

/** Items out of Postgres, in no order; what was never watched or is forgotten is left out. */
export async function loadItems(
  db: Transaction,
  user: UserId,
  contents: readonly ContentId[],
): Promise<HistoryRow[]> {
  const rows = await db.execute(sql`
    WITH items AS (SELECT * FROM listitems ${shownItems(user)} AND content_id = ANY(${column(contents, "text")}))
    ${rowsOf(sql`items`)}
  `);
  return rows as unknown as StoredRow[];
}

/** How many items of a history have each value of a dimension, by Postgres. */
export async function loadFacets(
  db: Database,
  user: UserId,
  { by, filter }: { by: Dimension; filter: HistoryFilter | null },
): Promise<Facet[]> {
  const values = by === "team" ? sql`unnest(c.teams)` : sql`${sql.identifier(by)}::text`;
  const rows = await db.execute(sql`
    SELECT value, count(*) AS count
    FROM (
      SELECT ${values} AS value FROM contents c
      WHERE NOT removed AND content_id IN (
        SELECT content_id FROM listitems ${shownItems(user)} ${filter ? fulfilling(filter) : sql``}
      )
    ) v WHERE value IS NOT NULL GROUP BY value
  `);
  const counts = rows as unknown as Facet[];
  return facetsInOrder(counts.map(({ value, count }) => [value, Number(count)]));
}

function fulfilling(filter: HistoryFilter): SQL {
  const { asset_id } = filter;
  const asset = asset_id.length > 0 ? sql`AND content_id = ANY(${column(asset_id, "text")})` : sql``;
  const tests = alternativesOf(filter).map(({ dimension, anyOf }) =>
    dimension === "team"
      ? sql`teams && ${column(anyOf, "text")}`
      : sql`${sql.identifier(dimension)}::text = ANY(${column(anyOf, "text")})`,
  );
  if (tests.length === 0) return asset;
  return sql`${asset} AND content_id IN (SELECT content_id FROM contents WHERE NOT removed AND ${sql.join(tests, sql` AND `)})`;
}

/** What of a history is shown: everything that is in it and not forgotten. */
export function shownItems(user: UserId): SQL {
  return sql`WHERE user_id = ${user} AND playlist = ${WATCH_HISTORY} AND watched_at > greatest(deleted_at, ${clearMark(user)})`;
}

/** Up to when the history is forgotten; 0 when it never was. */
export function clearMark(user: UserId): SQL {
  return sql`coalesce((SELECT cleared_at FROM history_users WHERE user_id = ${user}), 0)`;
}

/**
 * The newest items, and what is not in the history (any more), or stands further back than it did before a mark was
 * taken back. What a clear took is left out, for the views know up to when: but not when a pause may have taken
 * something newer.
 */
async function loadRows(
  db: Database,
  user: UserId,
  limit: number,
): Promise<(HistoryRow & { listed: boolean })[]> {
  const rows = await db.execute(sql`
    WITH shown AS (
      SELECT * FROM listitems ${shownItems(user)}
      ORDER BY watched_at DESC, content_id DESC LIMIT ${limit}
    ),
    behind AS (
      SELECT l.* FROM listitems l LEFT JOIN history_users u USING (user_id)
      WHERE l.user_id = ${user} AND l.playlist = ${WATCH_HISTORY} AND (l.watched_at = 0 OR l.marked_at > l.watched_at)
        AND (cardinality(u.paused_at) > 0 OR coalesce(u.cleared_at, 0) <
          greatest(l.deleted_at, l.position_at, l.marked_at, l.dismissed_at))
    )
    SELECT its.*, true AS listed FROM (${rowsOf(sql`shown`)}) its
    UNION ALL
    SELECT its.*, false FROM (${rowsOf(sql`behind`)}) its
    ORDER BY watched_at DESC, content_id DESC
  `);
  return rows as unknown as (StoredRow & { listed: boolean })[];
}

async function clearedAt(db: Database, user: UserId): Promise<number> {
  const rows = await db.execute(sql`SELECT cleared_at FROM history_users WHERE user_id = ${user}`);
  return (rows as unknown as { cleared_at: number }[])[0]?.cleared_at ?? 0;
}
