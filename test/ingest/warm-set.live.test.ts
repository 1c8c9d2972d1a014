import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { warmUsers } from "../../db/redis/keys.ts";
import { ingestConfig } from "../../ingest/config.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { type Bounds, type SweepDeps, sweep, sweeper } from "../../ingest/views/sweep.ts";
import { warmSet } from "../../ingest/views/warm-set.ts";
import { testClock } from "../support/clock.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"] as [UserId, UserId, UserId];
const UNBOUNDED: Bounds = { users: 1e9, ageMs: 1e12, memory: 1 };

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.config("SET", "maxmemory", "0");
  await redis.flushall();
});

describe("the warm set", () => {
  test("knows when somebody was last projected", async () => {
    const clock = testClock();
    const { touch } = setOf(clock);
    await touch([ALICE, BOB, ALICE]);
    clock.advance(MINUTE);
    await touch([BOB]);
    expect(await members()).toEqual([
      ["alice", clock.now() - MINUTE],
      ["bob", clock.now()],
    ]);
  });

  test("is written once a minute a user at most, and in one command", async () => {
    const clock = testClock();
    const { touch } = setOf(clock);
    const writes = await zaddsOf(async () => {
      await touch([]);
      await touch([ALICE, BOB]);
      for (let second = 1; second < 60; second++) {
        clock.advance(1_000);
        await touch([ALICE, BOB]);
      }
    });
    expect(writes).toBe(1);
    clock.advance(1_000);
    expect(await zaddsOf(() => touch([ALICE, BOB]))).toBe(1);
    expect(await zaddsOf(() => touch([ALICE, CAROL]))).toBe(1);
    expect((await members()).map(([user]) => user)).toEqual(["alice", "bob", "carol"]);
  });

  test("remembers no more users than it may; who is forgotten is written again", async () => {
    const clock = testClock();
    const { touch } = setOf(clock, { remember: 2 });
    await touch([ALICE]);
    await touch([BOB]);
    clock.advance(MINUTE);
    await touch([ALICE]);
    await touch([CAROL]);
    await redis.del(warmUsers);
    await touch([ALICE, CAROL]);
    expect(await members()).toEqual([]);
    await touch([BOB]);
    expect((await members()).map(([user]) => user)).toEqual(["bob"]);
  });

  test("takes in who is refilled, also a moment after having been touched, and evicted", async () => {
    const clock = testClock();
    const { touch, enter } = setOf(clock);
    await touch([ALICE]);
    await redis.zrem(warmUsers, ALICE);
    clock.advance(10);
    await touch([ALICE]);
    expect(await members()).toEqual([]);
    await enter(ALICE);
    expect(await members()).toEqual([["alice", clock.now()]]);
  });

  test("is not its callers' trouble when Redis fails; the next touch makes up for it", async () => {
    const warnings: string[] = [];
    const log = createLog("warn", { write: (line) => void warnings.push(line) });
    const { touch, enter } = setOf(testClock(), { log });
    await redis.set(warmUsers, "of another type");
    await touch([ALICE]);
    await enter(BOB);
    expect(warnings).toHaveLength(2);
    await redis.del(warmUsers);
    await touch([ALICE, BOB]);
    expect((await members()).map(([user]) => user)).toEqual(["alice", "bob"]);
  });
});

describe("a sweep", () => {
  test("does nothing within the bounds", async () => {
    await warm(3);
    const { deps, evicted } = sweepOf();
    expect(await sweep(deps)).toBe(0);
    expect(evicted).toEqual([]);
  });

  test("evicts the coldest users past a number of them, the coldest first", async () => {
    await warm(260);
    const { deps, evicted, logged } = sweepOf({ users: 10 });
    expect(await sweep(deps)).toBe(250);
    expect(evicted).toEqual(names(0, 250));
    expect((await members()).map(([user]) => user)).toEqual(names(250, 260));
    expect(logged).toEqual([{ evicted: 250, past: { users: 250, age: 0, memory: 0 } }]);
  });

  test("evicts who was neither projected nor refilled for long", async () => {
    const clock = testClock();
    await redis.zadd(warmUsers, clock.now() - 30 * DAY - 1, "long", clock.now() - 30 * DAY, "just");
    const { deps, evicted, logged } = sweepOf({ ageMs: 30 * DAY }, clock);
    expect(await sweep(deps)).toBe(1);
    expect(evicted).toEqual(["long"]);
    expect((await members()).map(([user]) => user)).toEqual(["just"]);
    expect(logged).toEqual([{ evicted: 1, past: { users: 0, age: 1, memory: 0 } }]);
  });

  test("evicts past a share of the memory, as many as it takes and the coldest first", async () => {
    await warm(600, 50_000);
    const used = await usedMemory();
    await redis.config("SET", "maxmemory", String(used));
    const { deps, evicted, logged } = sweepOf({ memory: 0.8 });
    const count = await sweep(deps);
    expect(await usedMemory()).toBeLessThan(used * 0.8);
    expect(count).toBeLessThan(400);
    expect(evicted).toEqual(names(0, count));
    expect((await members()).map(([user]) => user)).toEqual(names(count, 600));
    expect(logged).toEqual([{ evicted: count, past: { users: 0, age: 0, memory: count } }]);
  });

  test("ends when nobody is left to evict, though the memory is full of other things", async () => {
    await warm(150);
    await redis.config("SET", "maxmemory", String(await usedMemory()));
    const { deps } = sweepOf({ memory: 0.001 });
    expect(await sweep(deps)).toBe(150);
    expect(await sweep(deps)).toBe(0);
  });

  test("knows no bound of memory on a Redis without maxmemory", async () => {
    await warm(3);
    expect(await sweep(sweepOf({ memory: 0.000_001 }).deps)).toBe(0);
  });

  test("leaves in the set whoever is refilled between the look and the removal", async () => {
    const clock = testClock();
    const { enter } = setOf(clock);
    await warm(2);
    const { deps, evicted } = sweepOf({ users: 0 }, clock, async (user) => {
      if (user === "user-000") await enter(user);
    });
    expect(await sweep(deps)).toBe(2);
    expect(evicted).toEqual(["user-000", "user-001"]);
    expect(await members()).toEqual([["user-000", clock.now()]]);
  });

  test("spares who was touched just now", async () => {
    const clock = testClock();
    const { enter } = setOf(clock);
    await enter(ALICE);
    const { deps, evicted } = sweepOf({ users: 0 }, clock);
    expect(await sweep(deps)).toBe(0);
    clock.advance(1_000);
    expect(await sweep(deps)).toBe(1);
    expect(evicted).toEqual(["alice"]);
  });

  test("that dies half-way leaves cold users in the set, and is made up for by the next", async () => {
    await warm(5);
    const dying = sweepOf({ users: 1 }, testClock(), async (user) => {
      if (user === "user-002") throw new Error("killed");
    });
    await expect(sweep(dying.deps)).rejects.toThrow("killed");
    expect(await members()).toHaveLength(5);

    const { deps, evicted } = sweepOf({ users: 1 });
    expect(await sweep(deps)).toBe(4);
    expect(evicted).toEqual(names(0, 4));
    expect((await members()).map(([user]) => user)).toEqual(["user-004"]);
    expect(await sweep(deps)).toBe(0);
  });

  test("and another at once evict no more than is past the bound", async () => {
    await warm(730);
    const [one, other] = [sweepOf({ users: 500 }), sweepOf({ users: 500 })];
    await Promise.all([sweep(one.deps), sweep(other.deps)]);
    expect((await members()).map(([user]) => user)).toEqual(names(230, 730));
    expect(new Set([...one.evicted, ...other.evicted])).toEqual(new Set(names(0, 230)));
  });

  test("stops after the users it is at", async () => {
    await warm(500);
    const stopping = new AbortController();
    const { deps } = sweepOf({ users: 10 }, testClock(), async () => stopping.abort());
    expect(await sweep(deps, stopping.signal)).toBe(100);
  });
});

describe("the sweeper", () => {
  test("tries again when Redis fails, and ends with the signal, in the middle of its rest", async () => {
    await warm(5);
    const stopping = new AbortController();
    let failures = 0;
    const { deps, evicted } = sweepOf({ users: 1 }, testClock(), async () => {
      if (failures++ < 2) throw new Error("Redis is away");
    });
    const sweeping = sweeper(deps, stopping.signal);
    await until(async () => (await redis.zcard(warmUsers)) === 1);
    stopping.abort();
    await sweeping;
    expect(evicted).toEqual(names(0, 4));
  }, 5_000);
});

test("the bounds are configured in users, days and a share of the memory", () => {
  const enough = {
    DATABASE_URL: "postgres://db/playhead",
    REDIS_URL: "redis://redis",
    AUTH_SECRET: "a secret that is long enough",
  };
  expect(ingestConfig(enough).warm).toEqual({ users: 1_000_000, ageMs: 30 * DAY, memory: 0.8 });
  const given = { ...enough, WARM_USERS: "5", WARM_AGE: "2", WARM_MEMORY: "0.5" };
  expect(ingestConfig(given).warm).toEqual({ users: 5, ageMs: 2 * DAY, memory: 0.5 });
  const wrong = { ...enough, WARM_USERS: "0", WARM_AGE: "-1", WARM_MEMORY: "80" };
  expect(() => ingestConfig(wrong)).toThrow(/WARM_USERS.*WARM_AGE.*WARM_MEMORY/s);
});

function setOf(clock: { now(): number }, its: Partial<Parameters<typeof warmSet>[0]> = {}) {
  return warmSet({ redis, clock: clock.now, log: createLog("silent"), ...its });
}

/** A sweep that remembers whom it evicted and what it logged; `first` may fail, or do something else meanwhile. */
function sweepOf(
  bounds: Partial<Bounds> = {},
  clock = testClock(),
  first: (user: UserId) => Promise<void> = async () => {},
) {
  const evicted: string[] = [];
  const logged: unknown[] = [];
  const log = createLog("info", {
    write: (line) => {
      const { level, evicted, past } = JSON.parse(line);
      if (level === 30) logged.push({ evicted, past });
    },
  });
  const deps: SweepDeps = {
    redis,
    clock: clock.now,
    log,
    bounds: { ...UNBOUNDED, ...bounds },
    evict: async (user) => {
      await first(user);
      await redis.del(viewOf(user));
      evicted.push(user);
    },
  };
  return { deps, evicted, logged };
}

/** So many users, the first of them the coldest, each with a view of so many bytes. */
async function warm(count: number, bytes = 1): Promise<void> {
  const long = testClock().now() - DAY;
  const pipeline = redis.pipeline();
  names(0, count).forEach((user, at) => {
    pipeline.zadd(warmUsers, long + at, user);
    pipeline.set(viewOf(user), "x".repeat(bytes));
  });
  await pipeline.exec();
}

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `user-${String(from + n).padStart(3, "0")}`);
}

function viewOf(user: string): string {
  return `wh:progress:{${user}}`;
}

/** Coldest first. */
async function members(): Promise<[user: string, touched: number][]> {
  const found = await redis.zrange(warmUsers, 0, -1, "WITHSCORES");
  return found.flatMap((user, at) =>
    at % 2 === 0 ? [[user, Number(found[at + 1])] as [string, number]] : [],
  );
}

async function usedMemory(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}

/** How many ZADD commands Redis saw meanwhile. */
async function zaddsOf(work: () => Promise<void>): Promise<number> {
  const count = async () =>
    Number(/^cmdstat_zadd:calls=(\d+)/m.exec(await redis.info("commandstats"))?.[1] ?? 0);
  const before = await count();
  await work();
  return (await count()) - before;
}
