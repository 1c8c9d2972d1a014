import { type SQL, sql } from "drizzle-orm";

/** Rows of a page. */
export const PAGE = 500;

/** Page after page, each from where the one before ended. */
export async function* pages<Row extends object>(
  load: (after: Row | null) => Promise<unknown>,
): AsyncGenerator<Row[]> {
  let last: Row | null = null;
  for (;;) {
    const rows: Row[] = [...((await load(last)) as Row[])];
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1) ?? null;
  }
}

/** Epoch milliseconds as ISO 8601; 0 is never. */
export function stamp(name: string): SQL {
  return sql`${isoOf(sql`to_timestamp(nullif(${sql.identifier(name)}, 0) / 1000.0)`)}`;
}

export function iso(name: string): SQL {
  return isoOf(sql.identifier(name));
}

function isoOf(timestamp: SQL | ReturnType<typeof sql.identifier>): SQL {
  return sql`to_char(${timestamp} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
