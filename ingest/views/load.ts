import { type SQL, sql } from "drizzle-orm";
import { alternativesOf, type Dimension, type HistoryFilter } from "../../db/contract/dimensions.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Cursor } from "../../db/contract/pages.ts";
import { type Facet, facetsInOrder } from "../../db/contract/views.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import type { HistoryRow } from "../../db/rows.ts";

/** The history of a user as Postgres has it, as far as Redis holds it. */
export type LoadedHistory = {
  /** Newest first. */
  shown: HistoryRow[];
  /** Forgotten items: their revs keep slow projections of older rows away. */
  forgotten: HistoryRow[];
  cleared_at: number;
  /** Items up to this time were left out; 0 when everything is here. */
  floor: number;
};

export async function loadHistory(db: Database, user: UserId, limit: number): Promise<LoadedHistory> {
  const [rows, cleared_at] = await Promise.all([loadRows(db, user, limit + 1), clearedAt(db, user)]);
  const all = rows.filter((row) => row.position_at > 0);
  const shown = all.slice(0, limit);
  const left = all[limit];
  return {
    shown,
    forgotten: rows.filter((row) => row.position_at === 0),
    cleared_at,
    floor: left?.position_at ?? 0,
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
  const from = after
    ? sql`AND (position_at, content_id) < (${after.position_at}, ${after.content_id})`
    : sql``;
  const rows = await db.execute(sql`
    WITH page AS (
      SELECT * FROM listitems ${shownItems(user)} ${from} ${filter ? fulfilling(filter) : sql``}
      ORDER BY position_at DESC, content_id DESC LIMIT ${limit}
    )
    ${rowsOf(sql`page`)}
    ORDER BY i.position_at DESC, i.content_id DESC
  `);
  return rows as unknown as StoredRow[];
}

/** One item out of Postgres, or null when it was never watched or is forgotten. */
export async function loadItem(db: Database, user: UserId, content: string): Promise<HistoryRow | null> {
  const rows = await db.execute(sql`
    WITH item AS (SELECT * FROM listitems ${shownItems(user)} AND content_id = ${content})
    ${rowsOf(sql`item`)}
  `);
  return (rows as unknown as StoredRow[])[0] ?? null;
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

function shownItems(user: UserId) {
  return sql`WHERE user_id = ${user} AND playlist = ${WATCH_HISTORY} AND position_at > greatest(deleted_at, ${clearMark(user)})`;
}

function clearMark(user: UserId) {
  return sql`coalesce((SELECT cleared_at FROM history_users WHERE user_id = ${user}), 0)`;
}

async function loadRows(db: Database, user: UserId, limit: number): Promise<HistoryRow[]> {
  const rows = await db.execute(sql`
    WITH shown AS (
      SELECT * FROM listitems ${shownItems(user)}
      ORDER BY position_at DESC, content_id DESC LIMIT ${limit}
    ),
    items AS (
      SELECT * FROM shown
      UNION ALL
      SELECT * FROM listitems WHERE user_id = ${user} AND playlist = ${WATCH_HISTORY} AND position_at = 0
        AND deleted_at > ${clearMark(user)}
    )
    ${rowsOf(sql`items`)}
    ORDER BY i.position_at DESC, i.content_id DESC
  `);
  return rows as unknown as StoredRow[];
}

async function clearedAt(db: Database, user: UserId): Promise<number> {
  const rows = await db.execute(sql`SELECT cleared_at FROM history_users WHERE user_id = ${user}`);
  return (rows as unknown as { cleared_at: number }[])[0]?.cleared_at ?? 0;
}
