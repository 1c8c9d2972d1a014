import { type SQL, sql } from "drizzle-orm";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import type { ItemChange } from "./fold.ts";

/** One register of an item: which columns it has, the first of them its stamp, and in which order it is newer. */
const POSITION = { stamp: "position_at", order: ["position_at", "position_event_id", "playback_time"] };
const DURATION = { stamp: "duration_at", order: ["duration_at", "duration"] };
const CATALOG = { stamp: "catalog_at", order: ["catalog_at", "catalog_id"] };
type Register = typeof POSITION;

/** `l` is the row as it stands, `excluded` the change; everything up to the mask is forgotten. */
const MASK = "greatest(l.deleted_at, excluded.deleted_at)";

const changed = sql.raw(
  [POSITION, DURATION, CATALOG]
    .map((register) => `(${isNewer(register)} AND excluded.${register.stamp} > ${MASK})`)
    .concat(
      `(excluded.completed_at > l.completed_at AND excluded.completed_at > ${MASK})`,
      "excluded.deleted_at > l.deleted_at",
    )
    .join(" OR "),
);

/**
 * Makes a batch of changes durable: newest wins, register by register, by event time.
 *
 * Answers with the current row of every key that it touched, changed or not, so that a turn which comes again
 * projects what the first one may have left undone. Rows are locked in the order of their keys, so concurrent
 * turns cannot deadlock. Clears of whole histories are the caller's business.
 */
export async function storeItems(db: Database, items: readonly ItemChange[]): Promise<StoredRow[]> {
  if (items.length === 0) return [];
  const result = await db.execute(sql`
    WITH stored AS (
      INSERT INTO listitems AS l (
        user_id, playlist, content_id, playback_time, position_at, position_event_id,
        duration, duration_at, catalog_id, catalog_at, completed_at, deleted_at
      )
      SELECT user_id, ${WATCH_HISTORY}, content_id, playback_time, position_at, position_event_id,
        duration, duration_at, catalog_id, catalog_at, completed_at, deleted_at
      FROM ${incoming(items)}
      ORDER BY user_id COLLATE "C", content_id COLLATE "C"
      ON CONFLICT (user_id, playlist, content_id) DO UPDATE SET
        playback_time = ${newest("playback_time", POSITION, "0")},
        position_at = ${newest("position_at", POSITION, "0")},
        position_event_id = ${newest("position_event_id", POSITION, "''")},
        duration = ${newest("duration", DURATION, "NULL")},
        duration_at = ${newest("duration_at", DURATION, "0")},
        catalog_id = ${newest("catalog_id", CATALOG, "NULL")},
        catalog_at = ${newest("catalog_at", CATALOG, "0")},
        completed_at = ${completedAt()},
        deleted_at = ${sql.raw(MASK)},
        rev = l.rev + (${changed})::int,
        updated_at = CASE WHEN ${changed} THEN now() ELSE l.updated_at END
      RETURNING l.*
    ),
    lists AS (
      INSERT INTO playlists (user_id, name)
      SELECT DISTINCT user_id, ${WATCH_HISTORY} FROM stored WHERE rev = 1 ORDER BY user_id
      ON CONFLICT DO NOTHING
    )
    ${rowsOf(sql`stored`)}
  `);
  return result as unknown as StoredRow[];
}

/** The changes as a relation `i`, one array a column. */
function incoming(items: readonly ItemChange[]): SQL {
  const text = (name: keyof ItemChange) =>
    column(
      items.map((item) => item[name]),
      "text",
    );
  const stamp = (name: keyof ItemChange) =>
    column(
      items.map((item) => item[name]),
      "bigint",
    );
  const seconds = (name: keyof ItemChange) =>
    column(
      items.map((item) => item[name]),
      "float8",
    );
  return sql`unnest(
    ${text("user_id")}, ${text("content_id")}, ${seconds("playback_time")}, ${stamp("position_at")},
    ${text("position_event_id")}, ${seconds("duration")}, ${stamp("duration_at")}, ${text("catalog_id")},
    ${stamp("catalog_at")}, ${stamp("completed_at")}, ${stamp("deleted_at")}
  ) AS i (
    user_id, content_id, playback_time, position_at, position_event_id, duration, duration_at, catalog_id,
    catalog_at, completed_at, deleted_at
  )`;
}

function isNewer({ order }: Register): string {
  const side = (table: string) => order.map((name) => `${table}.${name}`).join(", ");
  return `(${side("excluded")}) > (${side("l")})`;
}

/** A column of a register after the merge: the newer side's, or nothing when the mask covers both. */
function newest(name: string, register: Register, nothing: string): SQL {
  const { stamp } = register;
  return sql.raw(`CASE
    WHEN greatest(l.${stamp}, excluded.${stamp}) <= ${MASK} THEN ${nothing}
    WHEN ${isNewer(register)} THEN excluded.${name} ELSE l.${name} END`);
}

function completedAt(): SQL {
  const latest = "greatest(l.completed_at, excluded.completed_at)";
  return sql.raw(`CASE WHEN ${latest} > ${MASK} THEN ${latest} ELSE 0 END`);
}
