import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import { disconnect, isWaiting } from "../support/connections.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { until } from "../support/until.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let close: () => Promise<void>;

// One connection: what a lost one leaves behind is met by the next statement.
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 1 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});
beforeEach(async () => {
  await db.execute(sql`TRUNCATE contents`);
});

describe("a transaction", () => {
  test("takes effect as a whole, and answers", async () => {
    const answer = await inTransaction(db, async (tx) => {
      await insert(tx, "a");
      await insert(tx, "b");
      return "done";
    });
    expect(answer).toBe("done");
    expect(await contents()).toEqual(["a", "b"]);
  });

  test("takes no effect when its work fails", async () => {
    const failing = inTransaction(db, async (tx) => {
      await insert(tx, "a");
      throw new Error("on second thought");
    });
    await expect(failing).rejects.toThrow("on second thought");
    expect(await contents()).toEqual([]);
  });

  test("takes no effect when a statement fails, and says which", async () => {
    const failing = inTransaction(db, async (tx) => {
      await insert(tx, "a");
      await insert(tx, "a");
    });
    await expect(failing).rejects.toMatchObject({ cause: { code: "23505" } });
    expect(await contents()).toEqual([]);
  });
});

/** Each of them ended the process, and left a connection behind that never connected again. */
describe("a connection that is lost", () => {
  test("during a statement fails the transaction, and nothing else", async () => {
    await lostIn(async (tx, loseIt) => {
      await Promise.all([
        tx.execute(sql`SELECT pg_sleep(60)`),
        until(() => isWaiting(database, "PgSleep")).then(loseIt),
      ]);
    });
  });

  test("between two statements", async () => {
    await lostIn(async (tx, loseIt) => {
      await loseIt();
      await insert(tx, "b");
    });
  });

  test("before the end", async () => {
    await lostIn(async (_, loseIt) => await loseIt());
  });

  test("before the work fails", async () => {
    await lostIn(async (_, loseIt) => {
      await loseIt();
      throw new Error("on second thought");
    });
  });
});

/**
 * A transaction that loses its connection fails and takes no effect, and the connection comes back. The first
 * statement after it may still be told why it was lost.
 */
async function lostIn(work: (tx: Transaction, loseIt: () => Promise<void>) => Promise<void>): Promise<void> {
  let seen = false;
  const transaction = inTransaction(db, async (tx) => {
    await insert(tx, "a");
    await work(tx, async () => {
      await disconnect(database, "active");
      await disconnect(database, "idle in transaction");
      await until(() => seen, { what: "the client to see that the connection is lost" });
    });
  });
  const failed = transaction.catch((error: unknown) => {
    seen = true;
    return error;
  });
  expect(await failed).toMatchObject({ code: "CONNECTION_CLOSED" });
  expect(await until(contents)).toEqual([]);
  await inTransaction(db, async (tx) => await insert(tx, "c"));
  expect(await contents()).toEqual(["c"]);
}

async function insert(tx: Transaction, content: string): Promise<void> {
  await tx.execute(sql`INSERT INTO contents (content_id) VALUES (${content})`);
}

async function contents(): Promise<unknown[]> {
  const rows = await db.execute(sql`SELECT content_id FROM contents ORDER BY content_id`);
  return [...rows].map(({ content_id }) => content_id);
}
