import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import { busStream } from "../../db/redis/keys.ts";
import type { TargetName } from "../../ingest/bus/metrics.ts";
import { redisBus } from "../../ingest/bus/redis-bus.ts";
import { tend } from "../../ingest/bus/tend.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { countingMetrics, eventOf } from "../support/bus.ts";
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

const metrics = countingMetrics();
const publish = (events: CloudEvent[]) => redisBus(redis, metrics).publish(events);
const some = (count: number) => Array.from({ length: count }, (_, n) => eventOf("é👩‍👩‍👧", `e${n}`));

describe("publishing", () => {
  test("events are on the bus in their order, each as it was, with its user beside it, and are counted", async () => {
    const events = some(1_201);
    await publish(events);
    expect(await published(redis)).toEqual(events);
    expect(metrics.counts.get("published ProfileUpdated")).toBe(1_201);
  });

  test("nothing is published of nothing", async () => {
    await publish([]);
    expect(await redis.exists(busStream)).toBe(0);
  });

  test("what is not known to be on the bus is not passed over, and not counted", async () => {
    const counted = metrics.counts.get("published ProfileUpdated");
    await redis.set(busStream, "of another type");
    await expect(publish(some(2))).rejects.toThrow("WRONGTYPE");
    const away = connectRedis("redis://127.0.0.1:1");
    await expect(redisBus(away, metrics).publish(some(1))).rejects.toThrow();
    away.disconnect();
    expect(metrics.counts.get("published ProfileUpdated")).toBe(counted);
  });
});

describe("trimming", () => {
  const trim = (keep: number, ...targets: TargetName[]) => tend({ redis, keep, targets, metrics });
  const readBy = async (group: TargetName, count: number) => {
    const args = ["GROUP", group, "c", "COUNT", count, "STREAMS", busStream, ">"];
    const [[, entries]] = (await redis.call("XREADGROUP", ...args)) as [[string, [string][]]];
    return entries.map(([id]) => id);
  };
  const group = (name: TargetName) => redis.xgroup("CREATE", busStream, name, "0", "MKSTREAM");
  const kept = async () => (await published(redis)).map(({ id }) => id);

  test("an empty bus is nothing to trim, also where a group is to come", async () => {
    expect(await trim(10)).toBe(0);
    expect(await trim(10, "kafka")).toBe(0);
    expect(await redis.exists(busStream)).toBe(0);
  });

  test("without targets the bus keeps at least so many, and not many more", async () => {
    const events = some(1_500);
    await publish(events);
    expect(await trim(1_500)).toBe(0);
    const trimmed = await trim(1_000);
    expect(trimmed).toBeGreaterThan(400);
    expect(await kept()).toEqual(events.slice(trimmed).map(({ id }) => id));
    expect(1_500 - trimmed).toBeGreaterThanOrEqual(1_000);
  });

  test("what a target does not have yet is never trimmed, however much it is", async () => {
    await publish(some(1_500));
    expect(await trim(10, "kafka")).toBe(0);
    await group("kafka");
    expect(await trim(10, "kafka")).toBe(0);
    expect(metrics.counts.get("waiting kafka")).toBe(1_500);

    // One of a thousand that it took is still on its way.
    const [first = "", ...others] = await readBy("kafka", 1_000);
    await redis.xack(busStream, "kafka", ...others);
    expect(await trim(10, "kafka")).toBe(0);
    expect(metrics.counts.get("waiting kafka")).toBe(501);

    await redis.xack(busStream, "kafka", first);
    await trim(10, "kafka");
    const left = await kept();
    expect(left.length).toBeLessThan(600);
    expect(left.slice(-500)).toEqual(
      some(1_500)
        .slice(-500)
        .map(({ id }) => id),
    );
    expect(metrics.counts.get("waiting kafka")).toBe(500);
  });

  test("the slowest of them decides, and who is not configured any more does not", async () => {
    await publish(some(1_500));
    await group("kafka");
    await group("webhook");
    await redis.xack(busStream, "kafka", ...(await readBy("kafka", 1_500)));
    expect(await trim(10, "kafka", "webhook")).toBe(0);
    expect(metrics.counts.get("waiting kafka")).toBe(0);
    expect(metrics.counts.get("waiting webhook")).toBe(1_500);
    expect(await trim(10, "kafka")).toBeGreaterThan(1_400);
  });

  test("targets that have everything leave readers of their own as many as was said", async () => {
    await publish(some(1_500));
    await group("kafka");
    await redis.xack(busStream, "kafka", ...(await readBy("kafka", 1_500)));
    await trim(1_000, "kafka");
    expect((await kept()).length).toBeGreaterThanOrEqual(1_000);
    expect((await kept()).length).toBeLessThan(1_110);
  });

  test("what waits is still known when something in the middle was erased", async () => {
    await publish(some(100));
    await group("kafka");
    await redis.xack(busStream, "kafka", ...(await readBy("kafka", 10)));
    const [, erased] = (await redis.xrange(busStream, "-", "+")).slice(50);
    await redis.xdel(busStream, erased?.[0] ?? "");
    await trim(10, "kafka");
    expect(metrics.counts.get("waiting kafka")).toBe(89);
    expect((await kept()).length).toBeGreaterThanOrEqual(89);
  });
});
