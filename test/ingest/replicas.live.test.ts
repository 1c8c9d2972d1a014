import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
let replica: TestRedis;
beforeAll(async () => {
  world = await createWorld({ STREAM_REPLICAS: "1" });
  const port = new URL(world.redisUrl).port;
  replica = await startTestRedis({ extraArgs: ["--replicaof", "127.0.0.1", port] });
});
afterAll(async () => {
  await replica.stop();
  await world.stop();
});

test("an event is accepted once a replica holds it, and not without one", async () => {
  const beat = { content_id: "m", playback_time: 60, duration: 3600 };
  await until(async () => (await world.redis.info("replication")).includes("state=online"), {
    what: "the replica to be online",
  });
  expect((await world.send("alice", beat)).status).toBe(202);

  await replica.kill();
  const refused = await world.send("alice", beat);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: "unavailable" });
});
