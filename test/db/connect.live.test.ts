import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { contents } from "../../db/postgres/schema/contents.ts";
import { inTransaction } from "../../db/postgres/transaction.ts";
import { Environment } from "../../ingest/config.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let db: Database;
let close: () => Promise<void>;

// One connection: prepared statements are known to the one that prepared them.
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 1 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});

describe("the pool", () => {
  test("holds 30 connections at most, unless it is told otherwise", () => {
    expect(Environment.shape.DATABASE_POOL.parse(undefined)).toBe(30);
  });

  test("prepares each statement once, whoever runs it: the query builder, raw SQL, a transaction", async () => {
    for (const id of ["a", "b", "c"]) {
      await db.select().from(contents).where(eq(contents.content_id, id));
      await db.execute(sql`SELECT ${id}::text AS raw`);
      await inTransaction(db, (tx) => tx.execute(sql`SELECT ${id}::text AS inside`));
    }
    const prepared = await db.execute<{ statement: string; runs: number }>(sql`
      SELECT statement, (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements`);
    for (const words of ['from "contents"', "AS raw", "AS inside"]) {
      const its = prepared.filter(
        ({ statement }) => statement.includes(words) && !statement.includes("pg_prepared"),
      );
      expect(its).toEqual([{ statement: expect.stringContaining("$1"), runs: 3 }]);
    }
  });

  test("never holds more than it may", async () => {
    const pool = connect(database.url, { max: 3 });
    try {
      const pids = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const [row] = await pool.db.execute<{ pid: number }>(
            sql`SELECT pg_backend_pid() AS pid, pg_sleep(0.01)`,
          );
          return row?.pid;
        }),
      );
      expect(new Set(pids).size).toBe(3);
    } finally {
      await pool.close();
    }
  });
});
