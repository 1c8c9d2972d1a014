import { type SQL, sql } from "drizzle-orm";
import { type ColumnType, column } from "../../db/postgres/batch.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { ItemChange } from "./fold.ts";
import { columnsOf, REGISTERS, type Register, stampOf, WATCHED } from "./registers.ts";

/**
 * Makes a batch of changes durable: newest wins, register by register, by event time.
 *
 * Answers with the current row of every key that it touched, changed or not, so that a turn which comes again
 * projects what the first one may have left undone. Rows are locked in the order of their keys, so concurrent
 * turns cannot deadlock. Clears of whole histories are the caller's business.
 */
export async function storeItems(tx: Transaction, items: readonly ItemChange[]): Promise<StoredRow[]> {
  if (items.length === 0) return [];
  const upsert = items.every(isWatched) ? OF_HEARTBEATS : OF_ANYTHING;
  const names = sql.raw(upsert.columns.join(", "));
  const result = await tx.execute(sql`
    WITH stored AS (
      INSERT INTO listitems AS l (user_id, playlist, content_id, ${names})
      SELECT user_id, ${WATCH_HISTORY}, content_id, ${names}
      FROM unnest(
        ${column(
          items.map((item) => item.user_id),
          "text",
        )}, ${column(
          items.map((item) => item.content_id),
          "text",
        )},
        ${sql.join(
          upsert.columns.map((name) =>
            column(
              items.map((item) => item[name]),
              typeOf(name),
            ),
          ),
          sql`, `,
        )}
      ) AS i (user_id, content_id, ${names})
      ORDER BY user_id COLLATE "C", content_id COLLATE "C"
      ON CONFLICT (user_id, playlist, content_id) DO UPDATE SET ${upsert.merge}
      RETURNING l.*
    ),
    lists AS (
      INSERT INTO playlists (user_id, name)
      SELECT DISTINCT user_id, ${WATCH_HISTORY} FROM stored WHERE rev = 1 ORDER BY user_id
      ON CONFLICT DO NOTHING
    )
    ${rowsOf(sql`stored`, sql`, i.updated_at = now() AS changed`)}
  `);
  return result as unknown as StoredRow[];
}

/** Nothing but heartbeats, as most batches: then nobody need look at what they cannot change. */
function isWatched({ deleted_at, marked_at, dismissed_at }: ItemChange): boolean {
  return deleted_at === 0 && marked_at === 0 && dismissed_at === 0;
}

const OF_HEARTBEATS = upsertOf(WATCHED, "l.deleted_at");
const OF_ANYTHING = upsertOf(REGISTERS, "greatest(l.deleted_at, excluded.deleted_at)");

/**
 * The columns that are written, and how they merge: `l` is the row as it stands, `excluded` the change, and everything
 * up to the mask is forgotten.
 */
function upsertOf(
  registers: readonly Register[],
  mask: string,
): { columns: (keyof ItemChange)[]; merge: SQL } {
  const deletes = mask !== "l.deleted_at";
  const isNewer = (register: Register) =>
    `(${side(register, "excluded")}) > (${side(register, "l")}) AND excluded.${stampOf(register)} > ${mask}`;
  const changed = registers
    .map((register) => `(${isNewer(register)})`)
    .concat(deletes ? "excluded.deleted_at > l.deleted_at" : [])
    .join(" OR ");
  const merged = registers.flatMap((register) =>
    Object.entries(register).map(([name, nothing]) => {
      const kept = deletes
        ? `WHEN l.${stampOf(register)} > ${mask} THEN l.${name} ELSE ${nothing}`
        : `ELSE l.${name}`;
      return `${name} = CASE WHEN ${isNewer(register)} THEN excluded.${name} ${kept} END`;
    }),
  );
  return {
    columns: [...registers.flatMap(columnsOf), ...(deletes ? ["deleted_at" as const] : [])],
    merge: sql.raw(
      [
        ...merged,
        ...(deletes ? [`deleted_at = ${mask}`] : []),
        `rev = l.rev + (${changed})::int`,
        `updated_at = CASE WHEN ${changed} THEN now() ELSE l.updated_at END`,
      ].join(",\n"),
    ),
  };
}

function side(register: Register, table: string): string {
  return columnsOf(register)
    .map((name) => `${table}.${name}`)
    .join(", ");
}

function typeOf(name: keyof ItemChange): ColumnType {
  if (name.endsWith("_at")) return "bigint";
  if (name === "playback_time" || name === "duration") return "float8";
  return name === "marked" || name === "dismissed" ? "boolean" : "text";
}
