import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deadEventsIn, replayDeadEvent } from "../../ingest/bus/dead-events.ts";
import { webhookTarget } from "../../ingest/bus/webhook.ts";
import { ingestConfig } from "../../ingest/config.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { eventOf, forwarding, publish } from "../support/bus.ts";
import { isSigned, newSecret, startReceiver } from "../support/receiver.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const secret = newSecret();
let server: TestRedis;
let redis: Redis;
const cleanUp: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
});
beforeEach(() => redis.flushall());
afterEach(async () => {
  for (const clean of cleanUp.splice(0).toReversed()) await clean();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function receiver(answer?: Parameters<typeof startReceiver>[1]) {
  const its = await startReceiver(secret, answer);
  cleanUp.push(its.stop);
  return its;
}

/** A forwarder with these settings, and short pauses. */
function start(url: string, settings: Record<string, string> = {}) {
  const { bus } = ingestConfig({
    ...{ REDIS_URL: server.url, AUTH_SECRET: "0123456789abcdef" },
    ...{ EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secret, ...settings },
  });
  if (bus.webhook === null) throw new Error("no webhook");
  const forwarder = forwarding(server.url, webhookTarget(bus.webhook, { clock: Date.now, firstPauseMs: 20 }));
  cleanUp.push(forwarder.stop);
  return forwarder;
}

const named = (count: number) => Array.from({ length: count }, (_, n) => `e${n}`);
const put = (ids: string[], user = "alice") => publish(redis, ...ids.map((id) => eventOf(user, id)));
const dead = async () =>
  (await deadEventsIn(redis, 1_000)).map(({ event, reason }) => [JSON.parse(event).id, reason]);

describe("one event a request", () => {
  test("each is posted as it is, signed, under a name that has no dot, in its user's order", async () => {
    const { url, posts, ids } = await receiver();
    await put(named(20), "al.ice");
    const { counts } = start(url);
    await until(() => counts.get("forwarded webhook") === 20);
    expect(ids()).toEqual(named(20));
    for (const { headers, body, path, signed } of posts) {
      expect(signed).toBe(true);
      expect(path).toBe("/hooks?for=playhead");
      expect(headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
      expect(headers["webhook-id"]).toMatch(/^msg_[0-9a-f]{64}$/);
      expect(JSON.parse(body)).toEqual(eventOf("al.ice", JSON.parse(body).id));
    }
    expect(new Set(posts.map(({ headers }) => headers["webhook-id"])).size).toBe(20);
  });

  test("an event that is published again has the same name", async () => {
    const { url, posts } = await receiver();
    await put(["e1"]);
    await put(["e1"]);
    start(url);
    await until(() => posts.length === 2);
    expect(posts[0]?.headers["webhook-id"]).toBe(posts[1]?.headers["webhook-id"]);
  });

  test("while a key changes both sign, and either is enough", async () => {
    const { url, posts } = await receiver();
    const next = newSecret();
    start(url, { EVENTS_WEBHOOK_SECRET: `${secret}, ${next}` });
    await put(["e1"]);
    await until(() => posts.length === 1);
    const [{ headers, body } = { headers: {}, body: "" }] = posts;
    for (const key of [secret, next]) expect(isSigned(key, headers, body)).toBe(true);
    expect(isSigned(newSecret(), headers, body)).toBe(false);
    expect(isSigned(secret, headers, `${body} `)).toBe(false);
    expect(isSigned(secret, { ...headers, "webhook-id": "another" }, body)).toBe(false);
    expect(isSigned(secret, { ...headers, "webhook-timestamp": "1700000000" }, body)).toBe(false);
  });

  test("a slow one holds up its own user alone", async () => {
    const gate = Promise.withResolvers<void>();
    const { url, ids } = await receiver(async (_, { events: [event] }) => {
      if (event?.subject === "slow") await gate.promise;
    });
    await put(["s1", "s2"], "slow");
    await put(named(10));
    start(url);
    await until(() => ids().length === 11);
    expect(ids()).not.toContain("s2");
    gate.resolve();
    await until(() => ids().length === 12);
    expect(ids().indexOf("s1")).toBeLessThan(ids().indexOf("s2"));
  });

  test("only the wanted types are posted; the others do not wait", async () => {
    const { url, posts } = await receiver();
    const { counts } = start(url, { EVENTS_WEBHOOK_TYPES: "ContentCompleted, SessionEnded" });
    await put(named(5));
    await until(() => counts.get("forwarded webhook") === 5);
    expect(posts).toEqual([]);
  });
});

describe("a receiver that fails", () => {
  test("is tried again with growing pauses, in order, and gets everything once it recovers", async () => {
    const { url, posts, ids } = await receiver((response, _, all) => {
      if (all.length <= 4) response.writeHead(503);
    });
    await put(named(3));
    const { counts } = start(url);
    await until(() => counts.get("forwarded webhook") === 3);
    expect(ids()).toEqual(["e0", "e0", "e0", "e0", "e0", "e1", "e2"]);
    const at = posts.map((post) => post.at);
    expect((at[4] ?? 0) - (at[3] ?? 0)).toBeGreaterThan((at[1] ?? 0) - (at[0] ?? 0));
    expect(new Set(posts.slice(0, 5).map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(await dead()).toEqual([]);
  });

  test("is left alone for as long as it asks", async () => {
    const { url, posts } = await receiver((response, _, all) => {
      if (all.length === 1) response.writeHead(429, { "retry-after": "1" });
    });
    await put(["e1"]);
    start(url);
    await until(() => posts.length === 2);
    expect((posts[1]?.at ?? 0) - (posts[0]?.at ?? 0)).toBeGreaterThan(900);
  });

  test("too often: the event is set aside, the others go on; replayed, it arrives", async () => {
    let broken = true;
    const { url, ids } = await receiver((response, { events: [event] }) => {
      if (broken && event?.id === "e1") response.writeHead(500);
    });
    await put(named(4));
    const { counts } = start(url, { EVENTS_WEBHOOK_ATTEMPTS: "3" });
    await until(() => counts.get("forwarded webhook") === 3);
    expect(ids()).toEqual(["e0", "e1", "e1", "e1", "e2", "e3"]);
    expect(await dead()).toEqual([["e1", "answered 500"]]);
    expect(counts.get("dead webhook")).toBe(1);
    broken = false;
    const [one] = await deadEventsIn(redis, 1);
    await replayDeadEvent(redis, one?.id ?? "");
    await until(() => counts.get("forwarded webhook") === 4);
    expect(ids().at(-1)).toBe("e1");
  });

  test.each([400, 410, 413, 415, 422])("with %i says that no other try would help", async (status) => {
    const { url, ids } = await receiver((response, { events: [event] }) => {
      if (event?.id === "e1") response.writeHead(status);
    });
    await put(named(3));
    const { counts } = start(url);
    await until(() => counts.get("forwarded webhook") === 2);
    expect(ids()).toEqual(["e0", "e1", "e2"]);
    expect(await dead()).toEqual([["e1", `answered ${status}`]]);
  });

  test("a redirect is not followed", async () => {
    const elsewhere = await receiver();
    const { url, posts } = await receiver((response) => {
      response.writeHead(307, { location: elsewhere.url });
    });
    await put(["e1"]);
    start(url, { EVENTS_WEBHOOK_ATTEMPTS: "2" });
    await until(async () => (await dead()).length === 1);
    expect(posts.length).toBe(2);
    expect(elsewhere.posts).toEqual([]);
    expect(await dead()).toEqual([["e1", "answered 307"]]);
  });

  test("one that never answers is given up after its time", async () => {
    const { url } = await receiver(() => new Promise(() => {}));
    await put(["e1"]);
    start(url, { EVENTS_WEBHOOK_ATTEMPTS: "1", EVENTS_WEBHOOK_TIMEOUT: "1" });
    await until(async () => (await dead()).length === 1);
    expect(await dead()).toEqual([["e1", "took too long"]]);
  });

  test("one that is not there at all is tried again, and its address is in no reason", async () => {
    await put(["e1"]);
    start("http://127.0.0.1:1/hooks?token=hush", { EVENTS_WEBHOOK_ATTEMPTS: "2" });
    await until(async () => (await dead()).length === 1);
    const [[, reason] = []] = await dead();
    expect(reason).toMatch(/^\w+$/);
    expect(reason).not.toContain("hush");
  });

  test("gone in the middle of everything, and back: what was not taken comes again", async () => {
    const first = await startReceiver(secret, (_, __, all) => {
      if (all.length > 5) return new Promise(() => {});
    });
    await put(named(30));
    const { counts } = start(first.url, { EVENTS_WEBHOOK_TIMEOUT: "1" });
    await until(() => first.posts.length === 6);
    await first.stop();
    const port = new URL(first.url).port;
    const second = await startReceiver(secret, undefined, Number(port));
    cleanUp.push(second.stop);
    await until(() => counts.get("forwarded webhook") === 30);
    expect(second.ids()).toEqual(named(30).slice(5));
    expect(await dead()).toEqual([]);
  });
});

describe("batches", () => {
  test("are arrays in the batch format, signed as a whole", async () => {
    const { url, posts, ids } = await receiver();
    await put(named(25));
    const { counts } = start(url, { EVENTS_WEBHOOK_BATCH: "10" });
    await until(() => counts.get("forwarded webhook") === 25);
    expect(ids()).toEqual(named(25));
    expect(posts.map(({ events }) => events.length)).toEqual([10, 10, 5]);
    for (const { headers, body, signed } of posts) {
      expect(signed).toBe(true);
      expect(headers["content-type"]).toBe("application/cloudevents-batch+json; charset=utf-8");
      expect(Array.isArray(JSON.parse(body))).toBe(true);
    }
  });

  test("that are refused for good are halved until the culprit is alone", async () => {
    const { url } = await receiver((response, { events }) => {
      if (events.some(({ id }) => id === "e7")) response.writeHead(422);
    });
    await put(named(20));
    const { counts } = start(url, { EVENTS_WEBHOOK_BATCH: "20" });
    await until(() => counts.get("forwarded webhook") === 19);
    expect(await dead()).toEqual([["e7", "answered 422"]]);
  });
});

test("a forwarder that is gone in the middle: another goes on, and only what was not settled comes twice", async () => {
  const gate = Promise.withResolvers<void>();
  const { url, ids } = await receiver(async (_, __, all) => {
    if (all.length === 6) await gate.promise;
  });
  await put(named(30));
  const dying = start(url);
  await until(() => ids().length === 6);
  dying.cut();
  gate.resolve();
  const { counts } = start(url);
  await until(() => counts.get("forwarded webhook") === 25);
  expect(new Set(ids())).toEqual(new Set(named(30)));
  for (const id of named(5)) expect(ids().filter((one) => one === id)).toEqual([id]);
});
