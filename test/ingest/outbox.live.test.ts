import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { putInOutbox } from "../../db/postgres/outbox.ts";
import { busStream } from "../../db/redis/keys.ts";
import { type OutboxDeps, outboxPublisher } from "../../ingest/bus/outbox.ts";
import { redisBus } from "../../ingest/bus/redis-bus.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { countingMetrics, eventOf } from "../support/bus.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { published } from "../support/sessions.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let server: TestRedis;
let redis: Redis;
let db: Database;
let close: () => Promise<void>;
const running: (() => Promise<void>)[] = [];
beforeAll(async () => {
  [database, server] = await Promise.all([createTestDatabase(), startTestRedis()]);
  ({ db, close } = connect(database.url, { max: 12 }));
  redis = connectRedis(server.url);
});
beforeEach(async () => {
  await redis.flushall();
  await db.execute(sql`TRUNCATE outbox`);
});
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});
afterAll(async () => {
  redis.disconnect();
  await close();
  await server.stop();
  await database.drop();
});

const metrics = countingMetrics();

function publisher(its: Partial<OutboxDeps> = {}) {
  return outboxPublisher({
    ...{ db, bus: redisBus(redis, metrics), repair: async () => {}, metrics, log: createLog("silent") },
    ...its,
  });
}

/** A publisher at work, until the test is over. */
function start(its: Partial<OutboxDeps> = {}) {
  const over = new AbortController();
  const publishes = publisher(its);
  const working = publishes.work(over.signal);
  running.push(async () => {
    over.abort();
    await working;
  });
  return publishes;
}

/** As library writes do: one transaction after another, for each user. */
async function commit(user: string, ...ids: string[]): Promise<void> {
  await db.transaction((tx) =>
    putInOutbox(
      tx,
      ids.map((id) => eventOf(user, id)),
    ),
  );
}

const left = async () =>
  ((await db.execute(sql`SELECT count(*)::int AS rows FROM outbox`)) as unknown as [{ rows: number }])[0]
    .rows;
const idsOf = async (user: string) =>
  (await published(redis)).filter(({ subject }) => subject === user).map(({ id }) => id);

test("what is committed is published in its order, as it is, and then gone", async () => {
  await commit("alice", "a1", "a2");
  await commit("bob", "b1");
  await commit("alice", "a3");
  await publisher().round();
  const events = await published(redis);
  expect(events).toEqual([
    eventOf("alice", "a1"),
    eventOf("alice", "a2"),
    eventOf("bob", "b1"),
    eventOf("alice", "a3"),
  ]);
  expect(await left()).toBe(0);
  expect(metrics.counts.get("outbox")).toBe(0);
  await publisher().round();
  expect(await published(redis)).toEqual(events);
});

test("what was rolled back is not", async () => {
  await db
    .transaction(async (tx) => {
      await putInOutbox(tx, [eventOf("alice", "never")]);
      tx.rollback();
    })
    .catch(() => {});
  await publisher().round();
  expect(await published(redis)).toEqual([]);
});

test("a nudge publishes at once, and without one it is found all the same", async () => {
  const { nudge } = start();
  await commit("alice", "found");
  await until(async () => (await idsOf("alice")).length === 1);
  await commit("alice", "nudged");
  const from = performance.now();
  nudge();
  await until(async () => (await idsOf("alice")).length === 2);
  expect(performance.now() - from).toBeLessThan(700);
});

test("views are repaired before anybody is told, of those users alone; while they cannot be, all stays", async () => {
  const seen: [UserId[], number][] = [];
  const repair = async (users: readonly UserId[]) =>
    void seen.push([[...users].sort(), (await published(redis)).length]);
  await commit("alice", "a1", "a2");
  await commit("bob", "b1");
  const failing = publisher({ repair: () => Promise.reject(new Error("Redis is away")) });
  await expect(failing.round()).rejects.toThrow("away");
  expect(await left()).toBe(3);
  await publisher({ repair }).round();
  expect(seen).toEqual([[["alice", "bob"], 0]]);
  expect((await published(redis)).length).toBe(3);
});

test("a crash after publishing and before the deletion publishes the same ids again", async () => {
  await commit("alice", "a1", "a2");
  const bus = redisBus(redis, metrics);
  const dying = publisher({
    bus: {
      publish: async (events) => {
        await bus.publish(events);
        throw new Error("the process stops");
      },
    },
  });
  await expect(dying.round()).rejects.toThrow("the process stops");
  await publisher().round();
  expect(await idsOf("alice")).toEqual(["a1", "a2", "a1", "a2"]);
  expect(await left()).toBe(0);
});

test("many publishers, many writers: every event once, each user's in its order", async () => {
  for (let n = 0; n < 4; n++) start();
  const users = Array.from({ length: 12 }, (_, n) => `user-${n}`);
  const ids = Array.from({ length: 40 }, (_, n) => `${n}`.padStart(3, "0"));
  const { nudge } = start();
  await Promise.all(
    users.map(async (user) => {
      for (const id of ids) {
        await commit(user, id);
        nudge();
      }
    }),
  );
  await until(async () => (await left()) === 0);
  for (const user of users) expect(await idsOf(user)).toEqual(ids);
});

test("while one publishes a user's events, another leaves that user alone and publishes the rest", async () => {
  await commit("alice", "a1");
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const slow = publisher({
    repair: async () => {
      inside.resolve();
      await gate.promise;
    },
  }).round();
  await inside.promise;
  await commit("alice", "a2");
  await commit("bob", "b1");
  expect(await publisher().round()).toBe(true);
  expect(await published(redis)).toEqual([eventOf("bob", "b1")]);
  gate.resolve();
  await slow;
  await publisher().round();
  expect(await idsOf("alice")).toEqual(["a1", "a2"]);
});

test("who deletes a user's events while they are being published waits, and finds all of them on the bus", async () => {
  await commit("alice", "a1", "a2");
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const bus = redisBus(redis, metrics);
  const slow = publisher({
    bus: {
      publish: async (events) => {
        inside.resolve();
        await gate.promise;
        await bus.publish(events);
      },
    },
  }).round();
  await inside.promise;
  const erased = db.execute(sql`DELETE FROM outbox WHERE user_id = 'alice'`).then(() => idsOf("alice"));
  const waits = () => db.execute(sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
  await until(async () => (await waits()).length === 1);
  gate.resolve();
  expect(await erased).toEqual(["a1", "a2"]);
  await slow;
});

test("Redis is killed: everything stays in the outbox, and is published when Redis is back", async () => {
  const { nudge } = start();
  await commit("alice", "before");
  nudge();
  await until(async () => (await left()) === 0);
  await server.kill();
  await commit("alice", "during 1");
  await commit("alice", "during 2");
  nudge();
  await until(() => metrics.counts.get("outbox") === 2);
  expect(await left()).toBe(2);
  server = await server.restart();
  await until(async () => (await left()) === 0, { timeout: 20_000 });
  const ids = await idsOf("alice");
  expect([...new Set(ids)]).toEqual(["before", "during 1", "during 2"]);
  expect(await redis.xlen(busStream)).toBe(ids.length);
});
