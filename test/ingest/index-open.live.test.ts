import type { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { freePort } from "../../db/local/port.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import { searchIndex, searchIndexMaking } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { evict } from "../../ingest/views/evict.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { project } from "../../ingest/views/project.ts";
import { askedOf } from "../support/indexed.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { contentOf, historyRow } from "../support/rows.ts";
import { until } from "../support/until.ts";
import { warmUser } from "../support/warm.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newServer(options: Parameters<typeof startTestRedis>[0] = {}): Promise<TestRedis> {
  const server = await startTestRedis({ appendfsync: "no", ...options });
  cleanups.push(() => server.stop());
  return server;
}

/** An ingest of its own: connection, index and log. */
function ingestOn({ url }: { url: string }, wanted: ModelName | "auto") {
  const redis = connectRedis(url);
  cleanups.push(() => redis.disconnect());
  const lines: string[] = [];
  const index = historyIndexOn(redis, wanted, createLog("info", { write: (line) => void lines.push(line) }));
  const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { redis, index, logged, ...askedOf({ redis, index }) };
}
type Ingest = ReturnType<typeof ingestOn>;

async function warm({ redis, index }: Ingest, user: string, ids = ["a"]) {
  const catalogue = ids.map((id) => contentOf(id, { sport: "cricket" }));
  const rows = ids.map((id) => historyRow(user, id));
  await warmUser({ redis, index }, user as UserId, rows, { catalogue });
}
const modelOf = async ({ index }: Ingest) => (await index.current()).model.name;
const makingOn = (redis: Redis) => redis.get(searchIndexMaking);

describe("auto is", () => {
  test("redisearch on a server with the module, and says so", async () => {
    const ingest = ingestOn(await newServer({ search: true }), "auto");
    expect(await modelOf(ingest)).toBe("redisearch");
    const told = { model: "redisearch", wanted: "auto", msg: "history index" };
    expect(ingest.logged()).toEqual([expect.objectContaining(told)]);
    await ingest.index.current();
    expect(ingest.logged()).toHaveLength(1);
    await warm(ingest, "alice");
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
  });

  test("sorted-sets on a server without it, where nothing is asked of the module", async () => {
    const ingest = ingestOn(await newServer({ search: false }), "auto");
    expect(await modelOf(ingest)).toBe("sorted-sets");
    expect(ingest.logged()).toEqual([expect.objectContaining({ model: "sorted-sets", wanted: "auto" })]);
    await warm(ingest, "alice");
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
    expect(await makingOn(ingest.redis)).toBeNull();
  });

  test("sorted-sets on a cluster, with the module or without", async () => {
    const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())];
    const ingest = ingestOn(await newServer({ search: true, extraArgs: cluster }), "auto");
    expect(await modelOf(ingest)).toBe("sorted-sets");
    expect(await ingest.redis.call("MODULE", "LIST")).toHaveLength(1);

    await ingest.redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await until(async () => /cluster_state:ok/.test((await ingest.redis.cluster("INFO")) as string));
    await warm(ingest, "alice", ["a", "b"]);
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["b", "a"]);
  });

  test("sorted-sets where nobody may ask for modules, as at a managed Redis", async () => {
    const server = await newServer({ search: false, extraArgs: ["--rename-command", "MODULE", '""'] });
    expect(await modelOf(ingestOn(server, "auto"))).toBe("sorted-sets");
  });
});

test("a server that is busy is asked again, and not taken for one without the module", async () => {
  const server = await newServer({ search: true });
  const ingest = ingestOn(server, "auto");
  const killer = connectRedis(server.url);
  cleanups.push(() => killer.disconnect());
  await ingest.redis.config("SET", "busy-reply-threshold", "1");
  const busy = killer.eval("while true do end", 0).catch(() => {});
  await until(async () =>
    (await ingest.redis.ping().catch((error: Error) => error.message)).startsWith("BUSY"),
  );
  const opened = await ingest.index.current().catch((error: Error) => error);
  await ingest.redis.call("SCRIPT", "KILL");
  await busy;
  expect(opened).toBeInstanceOf(Error);
  expect(await modelOf(ingest)).toBe("redisearch");
});

test("on a cluster a turn of many users is projected all the same", async () => {
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())];
  const ingest = ingestOn(await newServer({ search: false, extraArgs: cluster }), "auto");
  await ingest.redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(async () => /cluster_state:ok/.test((await ingest.redis.cluster("INFO")) as string));
  const users = Array.from({ length: 20 }, (_, n) => `viewer-${n}`);
  for (const user of users) await warm(ingest, user);
  const catalogue = new Map([["b" as ContentId, contentOf("b", { sport: "cricket" })]]);
  const { redis, index } = ingest;
  await project(
    { redis, index, historyLimit: 100, contents: async () => catalogue },
    { rows: users.map((user) => historyRow(user, "b")), cleared: new Map() },
  );
  for (const user of users) expect(await ingest.found(user, { sport: "cricket" })).toEqual(["b", "a"]);
});

test.each(["sorted-sets", "json-array"] as const)(
  "%s is had for the asking, also beside the module",
  async (model) => {
    const ingest = ingestOn(await newServer(), model);
    expect(await modelOf(ingest)).toBe(model);
    expect(ingest.logged()).toEqual([expect.objectContaining({ model, wanted: model })]);
  },
);

test("a Redis that is busy is away, and is not taken for one without the module", async () => {
  const server = await newServer({ search: true });
  const ingest = ingestOn(server, "redisearch");
  const looping = connectRedis(server.url);
  cleanups.push(() => looping.disconnect());
  await ingest.redis.config("SET", "busy-reply-threshold", "1");
  const loop = looping.eval("while true do end", 0).catch(() => {});
  await until(
    async () =>
      await ingest.redis.ping().then(
        () => false,
        (error: Error) => /^BUSY/.test(error.message),
      ),
  );
  await expect(ingest.index.current()).rejects.toThrow(/^BUSY/);
  await ingest.redis.call("SCRIPT", "KILL");
  await loop;
  expect(await modelOf(ingest)).toBe("redisearch");
});

test("redisearch without the module is refused in words that say what to change", async () => {
  const ingest = ingestOn(await newServer({ search: false }), "redisearch");
  const refused = /HISTORY_INDEX=redisearch.*no search module/;
  await expect(ingest.index.current()).rejects.toThrow(refused);
  await expect(ingest.index.current()).rejects.toThrow(refused);
  expect(ingest.logged()).toEqual([]);
});

test("an index that could not be opened while Redis was away is opened when it is back", async () => {
  const server = await newServer({ search: true });
  const ingest = ingestOn(server, "auto");
  await ingest.redis.ping();
  await server.kill();
  await expect(ingest.index.current()).rejects.toThrow();
  await server.restart();
  expect(await until(() => modelOf(ingest))).toBe("redisearch");
});

describe("the search index", () => {
  test("is made once by many who open it at once, and all of them find everybody", async () => {
    const server = await newServer({ search: true });
    for (let round = 0; round < 10; round++) {
      const ingests = Array.from({ length: 5 }, () => ingestOn(server, "redisearch"));
      const [first] = ingests as [Ingest];
      await first.redis.flushall();
      // Each begins to work as soon as it has opened it, whatever the others are about.
      await Promise.all(ingests.map((ingest, n) => warm(ingest, `viewer-${n}`)));
      const making = await makingOn(first.redis);
      for (const [n, ingest] of ingests.entries()) {
        const user = `viewer-${n}`;
        const seen = await ingest.found(user, { sport: "cricket" });
        // Whose view names a making that was overtaken meanwhile is not believed, and made anew.
        expect([["a"], "cold", "other"]).toContainEqual(seen);
        await evict(ingest.redis, user as UserId);
        await warm(ingest, user);
        for (const { found } of ingests) expect(await found(user, { sport: "cricket" })).toEqual(["a"]);
      }
      expect(await makingOn(first.redis)).toBe(making);
      for (const { redis } of ingests) redis.disconnect();
    }
  });

  test("of another ingest is left as it is, and so is its making", async () => {
    const server = await newServer({ search: true });
    const first = ingestOn(server, "redisearch");
    await warm(first, "alice");
    const making = await makingOn(first.redis);
    const second = ingestOn(server, "redisearch");
    expect(await second.found("alice", { sport: "cricket" })).toEqual(["a"]);
    expect(await makingOn(first.redis)).toBe(making);
  });

  test("is named anew when who made it crashed before it was there", async () => {
    const ingest = ingestOn(await newServer({ search: true }), "redisearch");
    await ingest.redis.set(searchIndexMaking, "never-made");
    await ingest.index.current();
    expect(await makingOn(ingest.redis)).not.toBe("never-made");
    expect(await ingest.redis.call("FT.INFO", searchIndex)).toContain("index_name");
  });

  test("is still there, with everybody in it, when Redis was killed", async () => {
    const server = await newServer({ search: true, appendfsync: "always" });
    const ingest = ingestOn(server, "redisearch");
    await warm(ingest, "alice", ["a", "b", "c"]);
    const making = await makingOn(ingest.redis);
    await server.restart();
    await until(() => ingest.redis.ping());
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["c", "b", "a"]);
    expect(await makingOn(ingest.redis)).toBe(making);
  });
});
