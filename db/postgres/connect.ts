import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { ARRAY_TYPES } from "./arrays.ts";

export type Database = PostgresJsDatabase;

/** Longer than any statement of ours needs; past it the server gives up and the turn tries again. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * A pool with prepared statements. It connects when first used and again whenever the server is back, so a
 * service may start before its database. Every bigint of ours is a count or a stamp below 2^53: a number.
 *
 * Types of arrays are known beforehand: postgres.js (3.4) would ask for them on each connection, and one that is lost
 * meanwhile ends the process, for nobody can catch that.
 */
export function connect(url: string, pool: { max: number }): { db: Database; close: () => Promise<void> } {
  const sql = postgres(url, {
    max: pool.max,
    connect_timeout: 5,
    backoff: (attempt) => Math.min(2 ** attempt / 20, 1),
    connection: { application_name: "playhead", statement_timeout: STATEMENT_TIMEOUT_MS },
    fetch_types: false,
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String }, ...ARRAY_TYPES },
    onnotice: () => {},
  });
  const { begin } = sql;
  const inTransaction = { begin: (work: InTransaction) => begin((tx) => work(preparing(tx))) };
  return { db: drizzle(Object.assign(preparing(sql), inTransaction)), close: () => sql.end({ timeout: 5 }) };
}

/**
 * The same client, but what it is given with parameters is prepared, once a connection. Drizzle gives it everything by `unsafe`,
 * which prepares nothing by itself, whatever the client was told (drizzle-team/drizzle-orm#6096).
 */
function preparing<Client extends Pick<postgres.Sql, "unsafe">>(client: Client): Client {
  const { unsafe } = client;
  const prepared: typeof unsafe = (text, parameters = [], options = {}) =>
    unsafe(text, parameters, { ...options, prepare: parameters.length > 0 });
  return Object.assign(client, { unsafe: prepared });
}

type InTransaction = (tx: postgres.TransactionSql) => unknown;
