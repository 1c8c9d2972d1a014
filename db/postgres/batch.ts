import { type SQL, sql } from "drizzle-orm";

/**
 * One column of a batch as one parameter: `unnest(${column(names, "text")}, ...)` makes rows of columns, so a
 * batch of any size is one prepared statement.
 */
export function column(values: readonly (string | number | boolean | null)[], type: ColumnType): SQL {
  return sql`${arrayLiteral(values)}::${sql.raw(type)}[]`;
}

export type ColumnType = "text" | "bigint" | "float8" | "boolean";

/** A Postgres array literal. Text is always quoted, so `NULL`, braces and commas inside are only text. */
export function arrayLiteral(values: readonly (string | number | boolean | null)[]): string {
  let literal = "";
  for (const value of values) {
    literal += literal === "" ? "{" : ",";
    if (typeof value === "string") literal += NEEDS_ESCAPE.test(value) ? escaped(value) : `"${value}"`;
    else literal += value === null ? "NULL" : value;
  }
  return literal === "" ? "{}" : `${literal}}`;
}

const NEEDS_ESCAPE = /["\\]/;

function escaped(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
