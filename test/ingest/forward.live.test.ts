import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { busStream, deadEvents } from "../../db/redis/keys.ts";
import type { BusEntry } from "../../ingest/bus/bus-entry.ts";
import { deadEventsIn, replayDeadEvent } from "../../ingest/bus/dead-events.ts";
import type { Target } from "../../ingest/bus/forward.ts";
import { tend } from "../../ingest/bus/tend.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { countingMetrics, eventOf, forwarding, publish } from "../support/bus.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

let server: TestRedis;
let redis: Redis;
const running: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url);
});
beforeEach(() => redis.flushall());
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function start(
  deliver: Target["deliver"],
  { atOnce = 10, ...options }: { atOnce?: number; reclaimAfterMs?: number } = {},
) {
  const target: Target = { name: "webhook", atOnce, deliver, close: async () => {} };
  const forwarder = forwarding(server.url, target, options);
  running.push(forwarder);
  return forwarder;
}

const idOf = ({ event }: BusEntry) => JSON.parse(event).id as string;
const named = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `e${from + n}`);
const put = (ids: string[]) => publish(redis, ...ids.map((id) => eventOf("alice", id)));
const waiting = async () => {
  const metrics = countingMetrics();
  await tend({ redis, keep: 1, targets: ["webhook"], metrics });
  return metrics.counts.get("waiting webhook");
};

test("a target has what the bus held before it, and what comes, in order and once", async () => {
  const had: string[] = [];
  await put(named(25));
  const { counts } = start(async (entries, told) => {
    had.push(...entries.map(idOf));
    await told.taken(entries);
  });
  await until(() => had.length === 25);
  await put(named(25, 25));
  await until(() => had.length === 50);
  expect(had).toEqual(named(50));
  await until(async () => (await waiting()) === 0);
  expect(counts.get("forwarded webhook")).toBe(50);
});

test("a target that is away is tried again until it is back; nothing is lost, and publishing does not wait", async () => {
  const had: string[] = [];
  let away = true;
  let tries = 0;
  start(async (entries, told) => {
    tries++;
    if (away) throw new Error("away");
    had.push(...entries.map(idOf));
    await told.taken(entries);
  });
  await put(named(30));
  await until(() => tries > 3);
  await put(named(5, 30));
  expect(await waiting()).toBe(35);
  away = false;
  await until(() => had.length === 35);
  expect(had).toEqual(named(35));
});

test("a forwarder that is gone in the middle: another one takes over what it had not told of", async () => {
  const had: string[] = [];
  const dying = start(async (entries, told, signal) => {
    const [first] = entries;
    if (first) await told.taken([first]);
    dying.cut();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw new Error("gone");
  });
  await put(named(10));
  await until(() => dying.counts.get("forwarded webhook") === 1);
  const { counts } = start(async (entries, told) => {
    had.push(...entries.map(idOf));
    await told.taken(entries);
  });
  await until(async () => (await waiting()) === 0);
  expect(had).toEqual(named(10).slice(1));
  expect(counts.get("forwarded webhook")).toBe(9);
});

test("two share the work: each event goes to one of them, and a slow one is left its own", async () => {
  const had: [string[], string[]] = [[], []];
  const gate = Promise.withResolvers<void>();
  for (const mine of had) {
    start(
      async (entries, told) => {
        if (mine === had[0]) await gate.promise;
        mine.push(...entries.map(idOf));
        await told.taken(entries);
      },
      { reclaimAfterMs: 200 },
    );
  }
  await put(named(10));
  const slow = async () => {
    const consumers = (await redis.xpending(busStream, "webhook", "-", "+", 100)) as [string, string][];
    return consumers.length > 0;
  };
  // One of them may get everything of the first batch: go on until the slow one holds something.
  let from = 10;
  await until(async () => {
    await put(named(10, from));
    from += 10;
    return (await slow()) && had[1].length > 0;
  });
  // Much longer than entries may lie about untouched.
  const held = await until(async () => {
    const pending = (await redis.xpending(busStream, "webhook", "-", "+", 1_000)) as unknown[][];
    return pending.length > 0 && pending.length <= 10 ? pending.map(([id]) => id) : false;
  });
  const start_ = performance.now();
  await until(() => performance.now() - start_ > 1_000);
  const still = (await redis.xpending(busStream, "webhook", "-", "+", 1_000)) as unknown[][];
  expect(still.map(([id]) => id)).toEqual(held);
  gate.resolve();
  await until(async () => (await waiting()) === 0);
  expect([...had[0], ...had[1]].sort()).toEqual(named(from).sort());
  expect(had[0].length).toBeGreaterThan(0);
});

test("what a target refuses is set aside with the reason, once; replayed, it comes again, and everybody else's stays", async () => {
  const had: string[] = [];
  let fussy = true;
  const { counts } = start(async (entries, told) => {
    for (const entry of entries) {
      if (fussy && idOf(entry) === "e3") await told.refused(entry, "answered 422");
      else {
        had.push(idOf(entry));
        await told.taken([entry]);
      }
    }
  });
  await put(named(6));
  await until(() => had.length === 5);
  const [dead, ...more] = await deadEventsIn(redis, 10);
  expect(more).toEqual([]);
  expect(dead).toMatchObject({ user: "alice", target: "webhook", reason: "answered 422" });
  expect(JSON.parse(dead?.event ?? "")).toEqual(eventOf("alice", "e3"));
  expect(Math.abs((dead?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(counts.get("dead webhook")).toBe(1);

  fussy = false;
  expect(await replayDeadEvent(redis, dead?.id ?? "")).toBe(true);
  expect(await replayDeadEvent(redis, dead?.id ?? "")).toBe(false);
  await until(() => had.length === 6);
  expect(had.at(-1)).toBe("e3");
  expect(await redis.xlen(deadEvents)).toBe(0);
});

test("what is no event of ours is set aside, and holds up nobody", async () => {
  const had: string[] = [];
  await redis.xadd(busStream, "*", "something", "else");
  await redis.xadd(busStream, "*", "user", "bob", "event", '{"id":"x","source":"y","type":"Strange"}');
  start(async (entries, told) => {
    had.push(...entries.map(idOf));
    await told.taken(entries);
  });
  await put(named(1));
  await until(() => had.length === 1);
  expect((await deadEventsIn(redis, 10)).map(({ user, reason }) => [user, reason])).toEqual([
    ["", "not an event of ours"],
    ["bob", "not an event of ours"],
  ]);
});

test("Redis is killed and comes back, or loses everything: the forwarder goes on", async () => {
  const had = new Set<string>();
  start(async (entries, told) => {
    for (const entry of entries) had.add(idOf(entry));
    await told.taken(entries);
  });
  await put(named(10));
  await until(() => had.size === 10);
  server = await server.restart();
  await until(() => redis.ping());
  await put(named(10, 10));
  await until(() => had.size === 20);
  await redis.flushall();
  await put(named(10, 20));
  await until(() => had.size === 30);
});

test("what was erased while it waited is not delivered, and leaves nothing behind", async () => {
  let away = true;
  const had: string[] = [];
  start(
    async (entries, told) => {
      if (away) throw new Error("away");
      had.push(...entries.map(idOf));
      await told.taken(entries);
    },
    { atOnce: 2 },
  );
  await put(named(6));
  await until(async () => ((await redis.xpending(busStream, "webhook")) as [number])[0] === 2);
  // One that is being tried again and again, and one that was not taken yet.
  const [first, , third] = await redis.xrange(busStream, "-", "+");
  await redis.xdel(busStream, first?.[0] ?? "", third?.[0] ?? "");
  away = false;
  await until(() => had.length === 4);
  expect(had).toEqual(["e1", "e3", "e4", "e5"]);
  await until(async () => (await waiting()) === 0);
});
