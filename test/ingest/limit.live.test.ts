import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventStream } from "../../db/redis/keys.ts";
import { withinOneMinute } from "../support/minute.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

const beat = { content_id: "m", playback_time: 60, duration: 600 };
const LIMIT = 5;

beforeEach(withinOneMinute);

/** What a metric of an ingest says. */
async function metric(at: string, name: string): Promise<number> {
  const text = await (await fetch(`${at}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

describe("how often a user may write", () => {
  let world: World;
  let second: string;
  beforeAll(async () => {
    world = await createWorld({
      RATE_LIMIT_PER_MINUTE: `${LIMIT}`,
      RATE_LIMIT_PER_ROLE: "service=0,support=2",
    });
    second = await world.startIngest();
  });
  afterAll(() => world.stop());

  test("is limited before the append, over all ingests together, and counted", async () => {
    for (let n = 0; n < LIMIT; n++) {
      const answer = await world.send(
        "alice",
        { ...beat, content_id: `c${n}` },
        { at: n % 2 ? second : world.ingestUrl },
      );
      expect(answer.status).toBe(202);
      expect(answer.headers.get("ratelimit")).toMatch(new RegExp(`^"user";r=${LIMIT - 1 - n};t=\\d+$`));
    }
    await world.drained();
    for (const at of [world.ingestUrl, second, world.edgeUrl]) {
      const refused = await world.send("alice", { ...beat, content_id: "too-much" }, { at });
      expect([refused.status, await refused.json()]).toMatchObject([429, { code: "rate_limited" }]);
      const seconds = Number(refused.headers.get("retry-after"));
      expect(seconds > 0 && seconds <= 60).toBe(true);
      expect(refused.headers.get("ratelimit")).toBe(`"user";r=0;t=${seconds}`);
      expect(refused.headers.get("ratelimit-policy")).toBe(`"user";q=${LIMIT};w=60`);
    }
    expect(await world.redis.xlen(eventStream)).toBe(0);
    expect((await world.history("alice")).length).toBe(LIMIT);
    expect(await metric(world.ingestUrl, "playhead_limited_total")).toBe(2);
    expect(await metric(second, "playhead_limited_total")).toBe(1);
    expect(await metric(world.ingestUrl, "playhead_rate_limit_failed_total")).toBe(0);
  });

  test("every write counts, whatever it is, and a batch is one", async () => {
    const json = { "content-type": "application/json" };
    const events = Array.from({ length: 50 }, (_, n) => ({ content_id: `c${n}`, playback_time: 1 }));
    const at = world.ingestUrl;
    expect((await world.send("bob", { events }, { at })).status).toBe(202);
    const list = "/users/bob/watchhistory";
    const writes = [
      ["PUT", `${list}/c1/watched`],
      ["DELETE", `${list}/c1`],
      ["PUT", `${list}/settings`, '{"paused":false}'],
      ["POST", "/api/v1/sessions", '{"user_id":"bob","content_id":"c","device_id":"d"}'],
      ["DELETE", list],
    ] as const;
    const statuses = [];
    for (const [method, path, body] of writes) {
      const init = { method, headers: json, ...(body ? { body } : {}) };
      statuses.push((await world.ask(path, { at, as: "bob", ...init })).status);
    }
    expect(statuses).toEqual([204, 204, 204, 201, 429]);
    // Reads are the edge's to count.
    expect((await world.ask(list, { at, as: "bob" })).status).toBe(200);
  });

  test("reads at the edge and writes at ingest are counted together", async () => {
    for (let n = 1; n < LIMIT; n++) expect((await world.send("carol", beat)).status).toBe(202);
    expect((await world.ask("/users/carol/watchhistory", { as: "carol" })).status).toBe(200);
    const count = () => world.redis.keys("rl:{carol}:*").then((keys) => world.redis.mget(...keys));
    await until(async () => (await count()).reduce((sum, n) => sum + Number(n), 0) === LIMIT, {
      what: "the read",
    });
    expect((await world.send("carol", beat)).status).toBe(429);
  });

  test("services have no limit unless they are given one", async () => {
    const as = (role: string) => world.send("somebody", beat, { as: role, token: { roles: [role] } });
    for (let n = 0; n < LIMIT + 3; n++) expect((await as("service")).status).toBe(202);
    expect([
      (await as("support")).status,
      (await as("support")).status,
      (await as("support")).status,
    ]).toEqual([202, 202, 429]);
  });

  test("who may not is told so, and not counted", async () => {
    const at = world.ingestUrl;
    const foreign = () => world.ask("/users/bob/watchhistory", { at, as: "mallory", method: "DELETE" });
    for (let n = 0; n < LIMIT + 3; n++) expect((await foreign()).status).toBe(403);
    expect(await world.redis.keys("rl:{mallory}:*")).toEqual([]);
  });
});

describe("a limiter that fails", () => {
  let stream: TestRedis;
  let world: World;
  beforeAll(async () => {
    stream = await startTestRedis();
    world = await createWorld({ RATE_LIMIT_PER_MINUTE: "1", STREAM_REDIS_URL: stream.url });
  });
  afterAll(async () => {
    await world.stop();
    await stream.stop();
  });
  afterEach(() => world.resumeRedis());

  test("because its Redis hangs lets writes through, soon, and a counter says so", async () => {
    expect((await world.send("alice", beat, { at: world.ingestUrl })).status).toBe(202);
    expect((await world.send("alice", beat, { at: world.ingestUrl })).status).toBe(429);
    const before = await metric(world.ingestUrl, "playhead_rate_limit_failed_total");
    world.pauseRedis();
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      expect((await world.send("dora", beat, { at: world.ingestUrl })).status).toBe(202);
      expect(performance.now() - began).toBeLessThan(400);
    }
    expect((await metric(world.ingestUrl, "playhead_rate_limit_failed_total")) - before).toBe(3);
    world.resumeRedis();
    await until(async () => (await world.send("alice", beat, { at: world.ingestUrl })).status === 429);
  });

  test("because its Redis is away lets writes through, soon", async () => {
    await world.killRedis();
    const before = await metric(world.ingestUrl, "playhead_rate_limit_failed_total");
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      expect((await world.send("bob", beat, { at: world.ingestUrl })).status).toBe(202);
      expect(performance.now() - began).toBeLessThan(400);
    }
    expect((await metric(world.ingestUrl, "playhead_rate_limit_failed_total")) - before).toBe(3);
    await world.restartRedis();
    await until(async () => (await world.send("bob", beat, { at: world.ingestUrl })).status === 429);
  });
});
