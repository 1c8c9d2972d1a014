import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { searchIndex } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { isUnreadable } from "../../ingest/views/evict.ts";
import { historyIndexOn, isIndexLost } from "../../ingest/views/history-index.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

/** What real servers say when the search index is gone: on it hangs whether it is made anew or the turn tried again. */

let servers: TestRedis[];
let withModule: Redis;
let without: Redis;
beforeAll(async () => {
  const start = (search: boolean) => startTestRedis({ appendfsync: "no", search });
  servers = await Promise.all([start(true), start(false)]);
  [withModule, without] = servers.map(({ url }) => connectRedis(url)) as [Redis, Redis];
  await historyIndexOn(withModule, "redisearch", createLog("silent")).current();
});
afterAll(async () => {
  withModule.disconnect();
  without.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
});

type Asking = (redis: Redis) => Promise<unknown>;
const inScript =
  (body: string): Asking =>
  (redis) =>
    redis.eval(body, 0);
const errorOf = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: unknown) => error,
  );

test.each<[string, Asking]>([
  ["FT.SEARCH", (redis) => redis.call("FT.SEARCH", "wh:none", "x")],
  ["FT.INFO", (redis) => redis.call("FT.INFO", "wh:none")],
  ["FT.SEARCH in a script", inScript("return redis.call('FT.SEARCH', 'wh:none', 'x')")],
  ["FT.DEL in a script", inScript("return redis.call('FT.DEL', 'wh:none', 'k', 'DD')")],
  [
    "FT.ADDHASH in a script",
    inScript("redis.call('HSET', 'k', 'a', 'b') redis.call('FT.ADDHASH', 'wh:none', 'k', 1)"),
  ],
])("%s without an index is a lost one, with the module and without", async (_, ask) => {
  for (const redis of [withModule, without]) {
    const error = await errorOf(ask(redis));
    expect([error, isIndexLost(error)]).toEqual([expect.any(Error), true]);
  }
});

test.each([
  "wh:idx: no such index",
  "Unknown index name",
  "Unknown Index name script: 1fd8, on @user_script:1.",
  "ERR unknown command 'FT.SEARCH', with args beginning with: 'wh:idx'",
])("so is %j", (message) => {
  expect(isIndexLost(new Error(message))).toBe(true);
});

test.each<[string, Asking]>([
  ["a query that is none", (redis) => redis.call("FT.SEARCH", searchIndex, "@@{")],
  ["another type", inScript("redis.call('SET', 't', 1) return redis.call('HLEN', 't')")],
  ["an unknown script", (redis) => redis.call("EVALSHA", "0".repeat(40), "0")],
  ["nonsense in a script", inScript("return nil + 1")],
])("%s is none", async (_, ask) => {
  const error = await errorOf(ask(withModule));
  expect([error, isIndexLost(error)]).toEqual([expect.any(Error), false]);
});

test.each([null, "Unknown Index name", new Error("Command timed out"), new Error("Connection is closed.")])(
  "%j is none",
  (error) => {
    expect(isIndexLost(error)).toBe(false);
  },
);

test("a view that Redis cannot read is told from a Redis that is away or full", async () => {
  const wrong = await errorOf(
    inScript("redis.call('SET', 't', 1) return redis.call('HLEN', 't')")(withModule),
  );
  expect(isUnreadable(wrong)).toBe(true);
  expect(isUnreadable(await errorOf(inScript("return nil + 1")(withModule)))).toBe(true);
  await withModule.config("SET", "maxmemory", "1");
  const full = await errorOf(inScript("return redis.call('SET', 't', 2)")(withModule));
  await withModule.config("SET", "maxmemory", "0");
  expect([full, isUnreadable(full), isIndexLost(full)]).toEqual([expect.any(Error), false, false]);
  withModule.disconnect();
  const away = await errorOf(withModule.ping());
  expect([away, isUnreadable(away), isIndexLost(away)]).toEqual([expect.any(Error), false, false]);
  await withModule.connect();
});
