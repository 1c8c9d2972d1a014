import { sql } from "drizzle-orm";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { committedEvents, partyOf, rememberOutbox, storeParties } from "../support/parties.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** The schedule kept by two real processes, on real stores, while any of them dies. */

const PATIENCE = { timeout: 40_000 };

let stack: Stack;
let db: Database;
let close: () => Promise<void>;
let redis: Redis;
beforeAll(async () => {
  stack = await startStack({ ingests: 2 });
  ({ db, close } = connect(stack.postgres.url, { max: 2 }));
  redis = new Redis(stack.redis.url);
  redis.on("error", () => {});
  await rememberOutbox(db);
}, 120_000);
afterAll(async () => {
  redis.disconnect();
  await close();
  await stack.stop();
});
beforeEach(async () => {
  await db.execute(sql`TRUNCATE watch_parties, told`);
});

async function schedule(name: string, count: number, times: { start_time: number; end_time?: number }) {
  const parties = Array.from({ length: count }, (_, n) => partyOf(`${name}-${n}`, { end_time: 0, ...times }));
  await storeParties(db, ...parties);
}

async function count(status: string): Promise<number> {
  const rows = await db.execute(sql`SELECT count(*) AS count FROM watch_parties WHERE status = ${status}`);
  return (rows as unknown as [{ count: number }])[0].count;
}

/** Each of them once, under an id of its own. */
async function expectOnceEach(name: string, parties: number, ...whats: string[]): Promise<void> {
  const ids = (await committedEvents(db)).map(({ id }) => id);
  const expected = whats.flatMap((what) => Array.from({ length: parties }, (_, n) => `${name}-${n}/${what}`));
  expect(ids.sort()).toEqual(expected.sort());
}

async function rooms(name: string): Promise<number> {
  return (await redis.keys(`wp:room:{${name}-*`)).length;
}

/** Asks the edge. @returns the status, and the code of a refusal. */
async function ask(method: string, path: string): Promise<[status: number, code: string | undefined]> {
  const authorization = `Bearer ${await tokenFor(stack.secret, "alice")}`;
  const answer = await fetch(stack.edge.url + path, { method, headers: { authorization } });
  return [answer.status, ((await answer.json()) as { code?: string }).code];
}

test("a hundred parties that are due at once open once each, and end once each", {
  timeout: 90_000,
}, async () => {
  const start_time = Date.now() + 1_500;
  await schedule("crowd", 100, { start_time, end_time: start_time + 3_000 });
  await until(async () => (await count("ONGOING")) === 100, { ...PATIENCE, what: "all of them to open" });
  await until(async () => (await rooms("crowd")) === 100, { ...PATIENCE, what: "their rooms" });
  await until(async () => (await count("FINISHED")) === 100, { ...PATIENCE, what: "all of them to end" });
  const [first] = (await db.execute(
    sql`SELECT max(started_at) - ${start_time} AS late FROM watch_parties`,
  )) as unknown as [{ late: number }];
  expect(first.late).toBeGreaterThanOrEqual(0);
  await expectOnceEach("crowd", 100, "started", "ended");
  // What was said is in Postgres, and the rooms are forgotten.
  await until(async () => (await rooms("crowd")) === 0, { ...PATIENCE, what: "the rooms to be closed" });
  const left = sql`SELECT 1 FROM watch_parties WHERE flushed_at = 0`;
  await until(async () => (await db.execute(left)).length === 0, { ...PATIENCE, what: "all to be flushed" });
});

test("one that is killed in the middle of it leaves nothing undone", { timeout: 90_000 }, async () => {
  const start_time = Date.now() + 1_500;
  await schedule("killed", 300, { start_time, end_time: start_time + 6_000 });
  await until(async () => (await count("ONGOING")) > 0, PATIENCE);
  await stack.ingests[1]?.kill();
  await until(async () => (await rooms("killed")) === 300, { ...PATIENCE, what: "a room for each" });
  await expectOnceEach("killed", 300, "started");
  await until(async () => (await count("FINISHED")) > 0, PATIENCE);
  await stack.ingests[0]?.kill();
  await stack.ingests[1]?.restart();
  await until(async () => (await count("FINISHED")) === 300, { ...PATIENCE, what: "all of them to end" });
  await expectOnceEach("killed", 300, "started", "ended");
  await until(async () => (await rooms("killed")) === 0, { ...PATIENCE, what: "the rooms to be closed" });
  await stack.ingests[0]?.restart();
});

test("what is due while nobody runs is done when somebody does", { timeout: 90_000 }, async () => {
  for (const ingest of stack.ingests) await ingest.kill();
  await schedule("late", 3, { start_time: Date.now() - 3_600_000 });
  await schedule("missed", 2, { start_time: Date.now() - 3_600_000, end_time: Date.now() - 60_000 });
  await stack.ingests[0]?.restart();
  await until(async () => (await rooms("late")) === 3, { ...PATIENCE, what: "the rooms" });
  await until(async () => (await count("CANCELLED")) === 2, { ...PATIENCE, what: "the missed ones" });
  expect(await rooms("missed")).toBe(0);
  const told = (await committedEvents(db)).map(({ id, data }) => [id, data.status, data.reason ?? null]);
  expect(told.sort()).toEqual([
    ...Array.from({ length: 3 }, (_, n) => [`late-${n}/started`, "ONGOING", null]),
    ...Array.from({ length: 2 }, (_, n) => [`missed-${n}/ended`, "CANCELLED", "missed"]),
  ]);
  await stack.ingests[1]?.restart();
});

test("stores that die meanwhile are waited for", { timeout: 90_000 }, async () => {
  const start_time = Date.now() + 1_000;
  await schedule("waits", 20, { start_time });
  await stack.postgres.kill();
  expect(await ask("GET", "/parties")).toEqual([503, "unavailable"]);
  await until(() => Date.now() > start_time, PATIENCE);
  await stack.postgres.restart();
  await until(async () => (await count("ONGOING")) === 20, { ...PATIENCE, what: "all of them to open" });
  await db.execute(sql`UPDATE watch_parties SET end_time = ${Date.now() + 500}`);
  await stack.postgres.kill();
  await stack.postgres.restart();
  await until(async () => (await count("FINISHED")) === 20, { ...PATIENCE, what: "all of them to end" });

  await schedule("redis", 20, { start_time: Date.now() + 500 });
  await stack.redis.kill();
  await until(async () => (await count("ONGOING")) === 20, { ...PATIENCE, what: "all of them to open" });
  // What is known is told; what would need to know more waits.
  const known = async () => (await ask("GET", "/parties/redis-0"))[0] === 200;
  await until(known, { ...PATIENCE, what: "the first ingest to have Postgres again" });
  expect(await ask("GET", "/parties/redis-0/messages")).toEqual([503, "unavailable"]);
  expect(await ask("DELETE", "/parties/redis-0")).toEqual([503, "unavailable"]);
  expect(await count("ONGOING")).toBe(20);
  await stack.redis.restart();
  await until(async () => (await rooms("redis")) === 20, { ...PATIENCE, what: "their rooms" });
  const ids = (await committedEvents(db)).map(({ id }) => id);
  expect(ids).toHaveLength(60);
  expect(new Set(ids).size).toBe(60);
});
