import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { positionEntry, reported, sessionView } from "../../db/contract/sessions.ts";
import { backlogKey, busStream, sessionKey, sessionsDue } from "../../db/redis/keys.ts";
import { createSession, endSession, reportPosition } from "../../db/redis/session-scripts.ts";
import { edgeDeps } from "../../edge/build.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import { runScript } from "../../ingest/redis.ts";
import { type SessionStore, sessionStore } from "../../ingest/sessions/session-store.ts";
import { DOOR_TOKEN, letEdgeIn, openDoor } from "../support/door.ts";
import { createEdgeWorld, type EdgeWorld } from "../support/edge-world.ts";
import { startTestRedis } from "../support/redis.ts";
import { appended, sessionOf } from "../support/sessions.ts";
import { until } from "../support/until.ts";

const session = sessionOf("s", { started_at: Date.UTC(2026, 0, 1), updated_at: Date.UTC(2026, 0, 1) });

let world: EdgeWorld;
let sessions: SessionStore;
beforeAll(async () => {
  world = await createEdgeWorld();
  sessions = sessionStore(world.redis, { backlogLimit: 10 });
});
beforeEach(async () => {
  await world.redis.flushall();
  await sessions.create(session);
  world.ingest.asked.length = 0;
});
afterAll(() => world.stop());

const patch = (body: object) =>
  world.ask("/api/v1/sessions/s/position", {
    method: "PATCH",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

describe("a session through the door", () => {
  test("is read in one round trip", async () => {
    await world.ask("/api/v1/sessions/s");
    const before = world.door.requests();
    const answer = await world.ask("/api/v1/sessions/s");
    expect([answer.status, await answer.json()]).toEqual([200, sessionView(session)]);
    expect(world.door.requests() - before).toBe(1);
    expect(world.ingest.asked).toEqual([]);
    expect((await world.ask("/api/v1/sessions/other")).status).toBe(404);
  });

  test("is reported past an ingest that is away, and is in the stream as ingest would have it", async () => {
    await world.ingest.stop();
    try {
      const before = Date.now();
      const answer = await patch({ position_seconds: 700, quality: "4k" });
      expect(answer.status).toBe(202);
      const [entry] = await appended(world.redis);
      const received_at = entry?.received_at ?? 0;
      expect(received_at).toBeGreaterThanOrEqual(before);
      const input = { position_seconds: 700, quality: "4k" };
      expect(await answer.json()).toEqual(sessionView(reported(session, input, received_at)));
      const arrival_id = entry?.events[0]?.event_id.split(".")[0] ?? "";
      expect(entry).toEqual(positionEntry(session, input, { received_at, arrival_id }));
      expect(await world.redis.get(backlogKey)).toBe("1");
      // The edge only reads sessions.
      expect(await sessions.read("s")).toEqual({ state: "live", session });

      await world.redis.set(backlogKey, "1000000");
      expect((await patch({ position_seconds: 701 })).status).toBe(503);
      expect(await appended(world.redis)).toHaveLength(1);
    } finally {
      await world.ingest.start();
    }
  });

  test("is behind the door of the stream, where that is another one", async () => {
    const views = await startTestRedis({ appendfsync: "no" });
    const door = await openDoor(views);
    const env = {
      ...world.env,
      ...{ UPSTASH_REDIS_REST_URL: door.url, STREAM_REDIS_REST_URL: world.door.url },
      ...{ UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN, STREAM_REDIS_REST_TOKEN: DOOR_TOKEN },
    };
    const { redis } = edgeDeps(edgeConfig(env), publicFiles);
    expect((await world.ask("/api/v1/sessions/s", { replaced: { redis } })).status).toBe(200);
    await views.kill();
    expect((await world.ask("/api/v1/sessions/s", { replaced: { redis } })).status).toBe(200);
    expect(world.ingest.asked).toEqual([]);
    await door.stop();
    await views.stop();
  });

  test("is ingest's to read when Redis is away, and nobody's when that is away as well", async () => {
    world.ingest.answer = () => ({ status: 200, body: '{"of":"ingest"}' });
    await world.server.kill();
    const answer = await world.ask("/api/v1/sessions/s");
    expect([answer.status, await answer.json()]).toEqual([200, { of: "ingest" }]);
    await world.ingest.stop();
    expect((await world.ask("/api/v1/sessions/s")).status).toBe(503);
    expect((await patch({ position_seconds: 1 })).status).toBe(503);
    await world.ingest.start();
    world.server = await world.server.restart();
    await letEdgeIn(world.server);
    await until(async () => (await world.redis.ping()) === "PONG", { what: "Redis to be back" });
  });
});

describe("the user of the edge's door", () => {
  let edge: Redis;
  beforeAll(async () => {
    await letEdgeIn(world.server);
    const user = { username: "edge", password: "secret-of-the-edge" };
    edge = new Redis(world.server.url, { ...user, enableReadyCheck: false });
  });
  afterAll(() => edge.disconnect());

  test("reads sessions, one by one", async () => {
    const its = (await world.redis.call("ACL", "GETUSER", "edge")) as unknown[];
    expect(String(its[its.indexOf("keys") + 1]).split(" ")).toContain("%R~ps:session:*");
    expect(await edge.hgetall(sessionKey("s"))).toMatchObject({ user_id: "alice" });
  });

  test.each([
    ["HSET", sessionKey("s"), "position_seconds", "1"],
    ["HINCRBY", sessionKey("s"), "reports", "1"],
    ["DEL", sessionKey("s")],
    ["EXPIRE", sessionKey("s"), "1"],
    ["EVAL", "return redis.call('HSET', KEYS[1], 'user_id', 'bob')", "1", sessionKey("s")],
    ["ZADD", sessionsDue, "1", "s"],
    ["ZRANGE", sessionsDue, "0", "-1"],
    ["XADD", busStream, "*", "event", "{}"],
    ["XRANGE", busStream, "-", "+"],
    ["KEYS", "ps:*"],
    ["SCAN", "0"],
  ])("cannot %s %s", async (command, ...args) => {
    await expect(edge.call(command, ...args)).rejects.toThrow("NOPERM");
  });

  test("cannot run the scripts that write sessions", async () => {
    const before = await world.redis.dump(sessionKey("s"));
    const keys = [sessionKey("s"), sessionsDue];
    for (const [script, args] of [
      [createSession, ["s", 1, "user_id", "bob"]],
      [reportPosition, ["s", 1e15, 5, "", ""]],
      [endSession, ["s", session.reports, 1, 1, 10, 0, "", 10, "{}"]],
    ] as const) {
      const all = script === endSession ? [...keys, "stream:watch-history", backlogKey, busStream] : keys;
      await expect(runScript(edge, script, all, args)).rejects.toThrow(/NOPERM|No permissions/i);
    }
    expect(await world.redis.dump(sessionKey("s"))).toBe(before);
  });
});
