import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startPostgres } from "../../db/local/postgres.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import { backlogKey, eventStream, ingestGroup } from "../../db/redis/keys.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { DOOR_TOKEN, openDoor } from "../support/door.ts";
import { startTestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** The bad days, each made to happen to real servers. */

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newWorld(settings: Record<string, string> = {}): Promise<World> {
  const world = await createWorld(settings);
  cleanups.push(() => world.stop());
  return world;
}

const beat = (content_id: string, playback_time: number) => ({ content_id, playback_time, duration: 3600 });

describe("case 24: Postgres is down", () => {
  test("writes are accepted up to the backlog limit, then 503; everything accepted arrives", async () => {
    const dir = mkdtempSync(join(tmpdir(), "playhead-outage-"));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    const start = async (port?: number) => {
      const server = await startPostgres({ dir, ...(port === undefined ? {} : { port }) });
      cleanups.push(() => server.stop());
      return server;
    };
    const postgres = await start();
    await migrate(postgres.url);
    const world = await newWorld({ DATABASE_URL: postgres.url, BACKLOG_LIMIT: "50" });
    await world.watched("alice", beat("before", 60));
    expect(await world.history("alice")).toHaveLength(1);

    await postgres.kill();
    for (let n = 0; n < 5; n++) {
      const events = Array.from({ length: 9 }, (_, at) => beat(`m${n}-${at}`, 60));
      expect((await world.send("alice", { events })).status).toBe(202);
    }
    // Accepted, not yet applied: it cannot be shown that it is gone.
    const forgotten = await world.ask("/users/alice/watchhistory/m0-0", { method: "DELETE" });
    expect(forgotten.status).toBe(202);
    const refused = await world.send("alice", {
      events: Array.from({ length: 9 }, () => beat("too-many", 60)),
    });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "backlog_full" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await world.redis.get(backlogKey)).toBe("46");
    // Warm reads do not need Postgres; a cold user cannot be answered with an empty list.
    expect((await world.history("alice")).map((item) => item.content_id)).toEqual(["before"]);
    const unknown = ["", "/m", "/facets?by=sport", "?sport=football", "/settings"];
    const lists = ["continue-watching", "changes", "next-up", "next-up?kind=sport"];
    for (const path of [...unknown.map((more) => `watchhistory${more}`), ...lists]) {
      const cold = await world.ask(`/users/bob/${path}`, { as: "bob" });
      expect([path, cold.status, cold.headers.get("retry-after")]).toEqual([path, 503, "5"]);
      expect(await cold.json()).toMatchObject({ code: "unavailable" });
    }
    const analytics = await world.ask("/contents/m/analytics", { token: { roles: ["admin"] } });
    expect(analytics.status).toBe(503);
    // What is marked or dismissed is durable, and shows later.
    const marked = await world.ask("/users/alice/watchhistory/before/watched", { method: "PUT" });
    expect(marked.status).toBe(202);

    await start(postgres.port);
    await world.drained();
    const contents = (await world.history("alice")).map((item) => item.content_id).sort();
    const sent = Array.from({ length: 45 }, (_, n) => `m${Math.floor(n / 9)}-${n % 9}`);
    expect((await world.history("alice")).find((item) => item.completed)?.content_id).toBe("before");
    expect(contents).toEqual(["before", ...sent.filter((id) => id !== "m0-0")].sort());
    expect((await world.send("alice", beat("after", 60))).status).toBe(202);
  });
});

describe("case 25: Redis is killed and restarted", () => {
  test("nothing accepted is lost, and everything goes on by itself", async () => {
    const world = await newWorld();
    const accepted: string[] = [];
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 40 }, (_, n) => `r${round}-${n}`);
      await Promise.all(
        ids.map(async (id) => {
          const { status } = await world.send("alice", beat(id, 60));
          if (status === 202) accepted.push(id);
        }),
      );
      await world.killRedis();
      expect((await world.send("alice", beat("while-away", 60))).status).toBe(503);
      await world.restartRedis();
      await until(async () => (await world.send("alice", beat(`back-${round}`, 60))).status === 202);
    }
    expect(accepted).toHaveLength(120);
    await world.drained();
    const found = new Set(
      (await world.history("alice", "?limit=200")).map((item) => item.content_id as string),
    );
    expect(accepted.filter((id) => !found.has(id))).toEqual([]);
  });
});

describe("case 26: a consumer dies", () => {
  test("what it took and never let go is taken over", async () => {
    const world = await newWorld();
    await Promise.all(world.services.map((service) => service.stop()));
    const { status } = await world.send("alice", beat("m", 60));
    expect(status).toBe(202);
    await world.redis.xgroup("CREATE", eventStream, ingestGroup, "0").catch(() => {});
    const taken = await world.redis.call(
      "XREADGROUP",
      ...["GROUP", ingestGroup, "dies", "COUNT", 10, "STREAMS", eventStream, ">"],
    );
    expect(taken).not.toBeNull();
    await world.startIngest();
    await world.drained();
    const rows = await world.db.execute("SELECT content_id FROM listitems");
    expect([...rows]).toEqual([{ content_id: "m" }]);
  });

  test("a graceful stop finishes what is in flight", async () => {
    const world = await newWorld();
    const sent = Array.from({ length: 50 }, (_, n) => world.send("alice", beat(`m${n}`, 60)));
    for (const response of await Promise.all(sent)) expect(response.status).toBe(202);
    await Promise.all(world.services.map((service) => service.stop()));
    const pending = (await world.redis.xpending(eventStream, ingestGroup)) as [number];
    expect(pending[0]).toBe(0);
  });

  test("several ingests share the work", async () => {
    const world = await newWorld({ DRAIN_LINGER: "0" });
    await world.startIngest();
    await world.startIngest();
    const viewers = Array.from({ length: 300 }, (_, n) => `viewer-${n}`);
    await Promise.all(viewers.map((viewer) => world.send(viewer, beat("m", 60))));
    await world.drained();
    const rows = await world.db.execute("SELECT count(*) AS rows, max(rev) AS rev FROM listitems");
    expect([...rows]).toEqual([{ rows: 300, rev: 1 }]);
    const consumers = (await world.redis.xinfo("CONSUMERS", eventStream, ingestGroup)) as unknown[];
    expect(consumers).toHaveLength(3);
  });
});

describe("case 27: ingest is unreachable from the edge", () => {
  test("the edge appends to the stream itself, and reads go on from Redis", async () => {
    const world = await newWorld();
    await world.watched("alice", beat("before", 60));
    await world.history("alice");
    await Promise.all(world.services.map((service) => service.stop()));

    const single = await world.send("alice", beat("single", 60));
    expect(single.status).toBe(202);
    expect(await single.json()).toEqual({ status: "ok", message: "Watch history updated" });
    const batch = await world.send("alice", { events: [beat("one", 60), beat("bad", -1)] });
    expect(batch.status).toBe(202);
    expect(await batch.json()).toMatchObject({ results: [{ status: "accepted" }, { status: "rejected" }] });
    expect((await world.send("alice", beat("bad", -1))).status).toBe(422);
    const forget = await world.ask("/users/alice/watchhistory/before", { method: "DELETE" });
    expect(forget.status).toBe(202);
    expect((await world.history("alice")).map((item) => item.content_id)).toEqual(["before"]);

    await world.startIngest();
    await world.drained();
    expect((await world.history("alice")).map((item) => item.content_id)).toEqual(["one", "single"]);
  });
});

describe("a stream on a Redis of its own", () => {
  test("is where ingest drains and where the edge appends when ingest is away", async () => {
    const streamServer = await startTestRedis();
    cleanups.push(() => streamServer.stop());
    const streamDoor = await openDoor(streamServer);
    cleanups.push(() => streamDoor.stop());
    const settings = {
      STREAM_REDIS_URL: streamServer.url,
      STREAM_REDIS_REST_URL: streamDoor.url,
      STREAM_REDIS_REST_TOKEN: DOOR_TOKEN,
    };
    const world = await newWorld(settings);
    const drained = async () => {
      const own = connectRedis(streamServer.url);
      await until(async () => (await own.xlen(eventStream)) === 0).finally(() => own.disconnect());
    };
    await world.watched("alice", beat("through-ingest", 60));
    await drained();
    await world.history("alice");
    await Promise.all(world.services.map((service) => service.stop()));
    expect((await world.send("alice", beat("through-the-edge", 60))).status).toBe(202);
    expect(await world.redis.exists(eventStream)).toBe(0);
    await world.startIngest();
    await drained();
    expect((await world.history("alice")).map((item) => item.content_id)).toEqual([
      "through-the-edge",
      "through-ingest",
    ]);
    expect(await world.redis.exists(eventStream)).toBe(0);
  });
});

describe("case 28: Redis is unreachable from the edge", () => {
  test("reads fall through also while Redis hangs, warm and cold", async () => {
    const world = await newWorld();
    await world.watched("alice", beat("m", 60));
    expect(await world.history("alice")).toHaveLength(1);
    world.pauseRedis();
    try {
      expect((await world.history("alice")).map((item) => item.content_id)).toEqual(["m"]);
      expect(await world.history("nobody")).toEqual([]);
    } finally {
      world.resumeRedis();
    }
  });

  test("reads fall through to ingest; when that is down too: 503 with Retry-After, never an empty list", async () => {
    const world = await newWorld();
    await world.watched("alice", beat("m", 60));
    expect(await world.history("alice")).toHaveLength(1);

    await world.killRedis();
    expect((await world.history("alice")).map((item) => item.content_id)).toEqual(["m"]);
    expect((await world.ask("/users/alice/watchhistory/m")).status).toBe(200);

    await Promise.all(world.services.map((service) => service.stop()));
    for (const path of [
      "/users/alice/watchhistory",
      "/users/alice/watchhistory/m",
      "/profiles/alice/history",
    ]) {
      const response = await world.ask(path);
      expect(response.status).toBe(503);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({ code: "unavailable" });
    }
    await world.restartRedis();
  });
});
