import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { Receipt } from "../../db/contract/privacy.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { busStream, deadEvents, deadStream, erasedUsers, historyKeys } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { withoutUser } from "../../ingest/privacy/erase-entries.ts";
import { userHash } from "../../ingest/privacy/user-hash.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { refiller } from "../../ingest/views/refill.ts";
import { warmSet } from "../../ingest/views/warm-set.ts";
import { allowConnections, disconnect } from "../support/connections.ts";
import { countsOf, finishedErasures, lifeOf } from "../support/lives.ts";
import { tracesOf } from "../support/traces-of.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  // No turn is taken over by another, however long it waits.
  const settings = { RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "info", RECLAIM_AFTER: "60000" };
  world = await createWorld({ HISTORY_INDEX: "sorted-sets", ...settings });
});
afterAll(() => world.stop());

let users = 0;
let user: string;
beforeEach(() => {
  user = `somebody-${++users}-to-be-erased`;
});

const traces = () => tracesOf(user, { db: world.db, redis: [world.redis] });
const ask = () => world.ask(`/profiles/${user}`, { as: user, method: "DELETE", at: world.ingestUrl });
const watch = (its: object = {}) =>
  world.send(user, { content_id: "film", playback_time: 60, duration: 600, ...its });

async function erase(): Promise<Receipt> {
  const response = await ask();
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return Receipt.parse(await response.json());
}

async function rowOf(name: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await world.db.execute(sql`SELECT * FROM erased WHERE user_id = ${name}`);
  return row;
}

describe("an erasure and what began before it", () => {
  /** Whatever inserts into a table waits in the middle of it, as long as `work` takes. */
  async function whileInsertsWait(
    table: string,
    begin: () => unknown,
    work: () => Promise<unknown>,
  ): Promise<void> {
    const { db } = world;
    await db.execute(sql`
      CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`);
    await db.execute(sql`
      CREATE TRIGGER wait_for_test BEFORE INSERT ON ${sql.identifier(table)}
      FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
    try {
      await db.transaction(async (holder) => {
        await holder.execute(sql`SELECT pg_advisory_xact_lock(42)`);
        begin();
        await until(async () => (await waiting(db)) === 1);
        await work();
      });
    } finally {
      await db.execute(sql`DROP FUNCTION wait_for_test() CASCADE`);
    }
  }

  async function waiting(db: Database): Promise<number> {
    const rows = await db.execute(sql`
      SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted`);
    return rows.length;
  }

  test("a turn that had looked before the mark, and stores after it, takes its rows away itself", async () => {
    await whileInsertsWait(
      "listitems",
      () => void watch({ playback_time: 590 }),
      async () => {
        await erase();
      },
    );
    await world.drained();
    expect(await world.db.execute(sql`SELECT FROM listitems WHERE user_id = ${user}`)).toHaveLength(0);
    expect(await world.db.execute(sql`SELECT FROM plays WHERE user_id = ${user}`)).toHaveLength(0);
    const { counted, scanned } = await countsOf(world.db);
    expect(counted).toEqual(scanned);
    await finishedErasures(world.db);
    expect(await traces()).toEqual([]);
  });

  test("it is repeated only when the turns that began before it have ended, and remembers whose it is until then", async () => {
    await whileInsertsWait(
      "listitems",
      () => void watch(),
      async () => {
        await erase();
        // What is looked at again and again is not due: the entry is still in the stream.
        const before = Number((await rowOf(user))?.due_at);
        await world.db.execute(sql`UPDATE erased SET erased_at = 1 WHERE user_id = ${user}`);
        await until(async () => Number((await rowOf(user))?.due_at) > before);
        expect(await rowOf(user)).toMatchObject({ passes: 1 });
      },
    );
    await until(async () => (await rowOf(user)) === undefined);
    expect(await traces()).toEqual([]);
  });

  test("a write of the profile that is under way is waited for", async () => {
    const { ask: write } = lifeOf(world, user, [world.ingestUrl]);
    let erasing: Promise<Receipt> | undefined;
    let writing: Promise<Response> | undefined;
    await whileInsertsWait(
      "ratings",
      () => {
        writing = write(`/profiles/${user}/ratings`, "POST", { content_id: "film", rating: 3 });
      },
      async () => {
        erasing = erase();
        await until(async () => {
          const held = await world.db.execute(sql`
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid <> 42 AND NOT granted`);
          return held.length === 1;
        });
      },
    );
    expect((await writing)?.status).toBe(201);
    expect((await erasing)?.stores).toContainEqual({ store: "ratings", erased: 1 });
    expect(await world.db.execute(sql`SELECT FROM ratings WHERE user_id = ${user}`)).toHaveLength(0);
  });

  test("a refill that had begun before the mark warms nothing, and leaves nothing", async () => {
    await watch();
    await world.drained();
    await erase();
    await finishedErasures(world.db);
    expect(await traces()).toEqual([]);
    const [state] = historyKeys(user as UserId);
    await world.redis.hset(state, "epoch", "e", "index", "sorted-sets", "limit", "10");
    // It looks once more when it has read Postgres.
    let looks = 0;
    const refill = refiller({
      ...{ db: world.db, redis: world.redis, historyLimit: 10, log: createLog("silent") },
      index: historyIndexOn(world.redis, "sorted-sets", createLog("silent")),
      contents: contentLookup(world.db),
      warm: warmSet({ redis: world.redis, clock: Date.now, log: createLog("silent") }),
      isErased: async () => ++looks > 1,
    });
    expect(await refill(user as UserId)).toMatchObject({ shown: [], erased: true });
    expect(await traces()).toEqual([]);
    // Nor does one that begins now.
    expect(await world.history(user)).toEqual([]);
    expect(await traces()).toEqual([]);
  });
});

test("what is in quarantine and on the bus of a user goes, and only that", async () => {
  const { redis } = world;
  const part = (user_id: string) => ({ v: 1, user_id, session_id: null, received_at: 1, events: [{}, {}] });
  const quarantine = async (payload: string) =>
    await redis.xadd(deadStream, "*", "entry", payload, "events", "4", "reason", "for no reason");
  await quarantine(JSON.stringify([part(user)]));
  await quarantine(JSON.stringify([part(user), part("bob")]));
  await quarantine(JSON.stringify([part("bob")]));
  await quarantine(`[{"user_id":"${user}", torn`);
  const event = (subject: string) => JSON.stringify({ subject, about: user });
  await redis.xadd(busStream, "*", "event", event(user));
  await redis.xadd(busStream, "*", "user", "bob", "event", JSON.stringify({ subject: "bob" }));
  await redis.xadd(deadEvents, "*", "user", user, "event", event(user), "reason", "no");
  for (let n = 0; n < 1_200; n++) redis.xadd(busStream, "*", "user", n % 3 ? user : "bob", "event", "{}");

  const { stores } = await erase();
  const gone = Object.fromEntries(stores.map(({ store, erased }) => [store, erased]));
  expect(gone).toMatchObject({ quarantine: 3, bus: 801, bus_set_aside: 1 });
  const left = await redis.xrange(deadStream, "-", "+");
  expect(left.map(([, fields]) => fields.slice(0, 4))).toEqual([
    ["entry", JSON.stringify([part("bob")]), "events", "4"],
    ["entry", JSON.stringify([part("bob")]), "events", "2"],
  ]);
  await finishedErasures(world.db);
  expect(await traces()).toEqual([]);
});

test("an entry is cut only where it names the user", () => {
  const fields = ["entry", '[{"user_id":"alice2"}]', "events", "1", "reason", "r"];
  expect(withoutUser(fields, "alice" as UserId)).toBe(fields);
});

describe("bad days", () => {
  test("without Postgres nobody is told anything, and nothing is begun", async () => {
    await watch();
    await world.drained();
    await allowConnections(world.database, false);
    try {
      for (const state of ["idle", "active"] as const) await disconnect(world.database, state);
      const response = await ask();
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    } finally {
      await allowConnections(world.database, true);
    }
    await until(async () => (await world.db.execute(sql`SELECT 1`)).length === 1);
    expect(await rowOf(user)).toBeUndefined();
    expect(await world.history(user)).toHaveLength(1);
  });

  test("Redis goes away in the middle: rows are gone, and the rest goes by itself when it is back", async () => {
    await lifeOf(world, user, [world.edgeUrl]).once();
    await world.drained();
    world.pauseRedis();
    const response = await ask();
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    world.resumeRedis();
    expect(await rowOf(user)).toMatchObject({ passes: 0 });
    for (const table of ["listitems", "plays", "ratings", "profiles", "outbox"]) {
      const rows = await world.db.execute(sql`SELECT FROM ${sql.identifier(table)} WHERE user_id = ${user}`);
      expect([table, rows.length]).toEqual([table, 0]);
    }
    await world.db.execute(sql`UPDATE erased SET due_at = 0 WHERE user_id = ${user}`);
    await until(async () => Number((await rowOf(user))?.passes) > 0, { timeout: 20_000 });
    await finishedErasures(world.db);
    expect(await traces()).toEqual([]);
  }, 60_000);

  test("a Redis that has forgotten who was erased is told again", async () => {
    await erase();
    await finishedErasures(world.db);
    const hash = userHash("a secret that only tests know")(user as UserId);
    expect(await world.redis.sismember(erasedUsers, hash)).toBe(1);
    await world.redis.del(erasedUsers);
    await until(async () => (await world.redis.sismember(erasedUsers, hash)) === 1);
    const session = { user_id: user, content_id: "film", device_id: "tv", duration_seconds: 600 };
    const begin = {
      method: "POST",
      body: JSON.stringify(session),
      headers: { "content-type": "application/json" },
    };
    expect((await world.ask("/api/v1/sessions", { as: user, ...begin })).status).toBe(410);
  });

  test("no log names who was erased", () => {
    expect(world.logged.length).toBeGreaterThan(0);
    expect(world.logged.filter((line) => line.includes("to-be-erased"))).toEqual([]);
  });
});
