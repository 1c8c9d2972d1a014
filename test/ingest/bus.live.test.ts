import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type CloudEvent, contentCompleted } from "../../db/contract/cloud-events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { busStream } from "../../db/redis/keys.ts";
import { redisBus } from "../../ingest/bus/redis-bus.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { published } from "../support/sessions.ts";

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function completions(count: number): Promise<CloudEvent[]> {
  const play = { user_id: "é👩‍👩‍👧" as UserId, content_id: "c" as ContentId, started_at: 1, completed_at: 2 };
  return Promise.all(
    Array.from({ length: count }, (_, n) => contentCompleted({ ...play, play_id: String(n) })),
  );
}

test("events are on the bus in their order, each as it was", async () => {
  const events = await completions(1_201);
  await redisBus(redis, { keep: 10_000 }).publish(events);
  expect(await published(redis)).toEqual(events);
});

test("nothing is published of nothing", async () => {
  await redisBus(redis, { keep: 10 }).publish([]);
  expect(await redis.exists(busStream)).toBe(0);
});

test("the bus keeps at least so many, and not many more", async () => {
  const events = await completions(1_500);
  await redisBus(redis, { keep: 1_000 }).publish(events);
  const kept = await published(redis);
  expect(kept.length).toBeGreaterThanOrEqual(1_000);
  expect(kept.length).toBeLessThan(1_250);
  expect(kept).toEqual(events.slice(-kept.length));
});

test("what is not known to be on the bus is not passed over", async () => {
  await redis.set(busStream, "of another type");
  await expect(redisBus(redis, { keep: 10 }).publish(await completions(2))).rejects.toThrow("WRONGTYPE");
  const away = connectRedis("redis://127.0.0.1:1");
  await expect(redisBus(away, { keep: 10 }).publish(await completions(1))).rejects.toThrow();
  away.disconnect();
});
