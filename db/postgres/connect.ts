import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";

export type Database = PostgresJsDatabase;

/** Longer than any statement of ours needs; past it the server gives up and the turn tries again. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * A pool with prepared statements. It connects when first used and again whenever the server is back, so a
 * service may start before its database. Every bigint of ours is a count or a stamp below 2^53: a number.
 */
export function connect(url: string, pool: { max: number }): { db: Database; close: () => Promise<void> } {
  const sql = postgres(url, {
    max: pool.max,
    connect_timeout: 5,
    backoff: (attempt) => Math.min(2 ** attempt / 20, 1),
    connection: { application_name: "playhead", statement_timeout: STATEMENT_TIMEOUT_MS },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    onnotice: () => {},
  });
  return { db: drizzle(sql), close: () => sql.end({ timeout: 5 }) };
}
