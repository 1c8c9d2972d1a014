import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Content } from "../../db/contract/contents.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { searchIndex } from "../../db/redis/keys.ts";
import { hexOf, recordView } from "../../db/redis/records.ts";
import { commandCounts, contentIds, createIndexed, type Indexed, recordedOf } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const START = Date.UTC(2026, 0, 1);
const FINAL = contentOf("final", {
  ...{ title: "The final", sport: "cricket", series: "World Cup 2026", teams: ["India", "England"] },
  ...{ show: "Cricket live", season: 3, rev: 2 },
});

describe.each(MODELS)("users of the index %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  beforeEach(() => indexed.empty());
  afterAll(() => indexed.stop());

  const received = async () =>
    Number(/total_net_input_bytes:(\d+)/.exec(await indexed.redis.info("stats"))?.[1]);

  test("a hundred in one call share the record, which is sent once, and each has it", async () => {
    const users = Array.from({ length: 100 }, (_, n) => `viewer-${n}`);
    const shared = contentOf("shared", { thumbnail: "t".repeat(2_000), sport: "cricket", teams: ["India"] });
    const theirs = ["a", "b", "c"].map((sport) => contentOf(sport, { sport, title: "x".repeat(500) }));
    const catalogue: Content[] = [shared, ...theirs];
    for (const user of users) await indexed.warm(user, []);
    const rows = users.flatMap((user, n) => [
      historyRow(user, "shared"),
      historyRow(user, theirs[n % 3]?.content_id ?? "", { watched_at: START + 1 }),
    ]);

    await indexed.redis.config("RESETSTAT");
    const before = await received();
    await indexed.project(rows, { catalogue });
    const sent = (await received()) - before;
    expect((await commandCounts(indexed.redis)).get("evalsha")).toBe(1);
    // Keys and progress of a hundred users, but not a hundred times two thousand characters.
    expect(sent).toBeLessThan(100 * 2_000 * 0.5);

    for (const [n, user] of users.entries()) {
      expect(await indexed.found(user, { sport: "cricket", team: ["India"] })).toEqual(["shared"]);
      const [own, found] = [theirs[n % 3] as Content, await indexed.search(user, null)];
      expect(found.state === "page" && found.found.map(({ record }) => record)).toEqual(
        [own, shared].map(recordView),
      );
    }
  });

  test("more than a call takes, with more items than a call takes, all come out whole", async () => {
    const users = Array.from({ length: 130 }, (_, n) => `viewer-${n}`);
    const ids = Array.from({ length: 600 }, (_, n) => `c${n}`);
    const catalogue = ids.map((id, n) => contentOf(id, { sport: n % 2 ? "odd" : "even", season: n }));
    for (const user of [...users, "alice"]) await indexed.warm(user, []);
    const few = users.flatMap((user, n) => [0, 1, 2].map((at) => historyRow(user, ids[n * 3 + at] ?? "")));
    await indexed.project([...few, ...ids.map((id) => historyRow("alice", id))], { catalogue });

    for (const [n, user] of users.entries()) {
      const expected = ids
        .slice(n * 3, n * 3 + 3)
        .toSorted()
        .toReversed();
      expect(await indexed.found(user, { asset_id: contentIds(...ids.slice(0, 100), ...expected) })).toEqual(
        expected,
      );
      expect(await indexed.facets(user, "season")).toMatchObject({ found: [{ count: 1 }, {}, {}] });
    }
    expect(await indexed.facets("alice", "sport")).toMatchObject({
      found: [
        { value: "even", count: 300 },
        { value: "odd", count: 300 },
      ],
    });
  });

  test("an eviction leaves nothing of the user, and everything of others with names alike", async () => {
    const catalogue = [FINAL, ...["a", "b", "c", "d"].map((id) => contentOf(id, { sport: id, rev: 1 }))];
    const users = ["alice", "Alice", "alic", "alice2"];
    for (const user of users) {
      const rows = ["final", "a", "b", "c", "d"].map((id, n) =>
        historyRow(user, id, { watched_at: START + n }),
      );
      await indexed.warm(user, rows, { catalogue, historyLimit: 4 });
      // A life: forgotten, changed, removed, trimmed.
      const changed = [contentOf("b", { show: "other", rev: 2 }), { ...FINAL, rev: 3, removed: true }];
      await indexed.project([historyRow(user, "a", { rev: 2, watched_at: 0 })], { catalogue });
      await indexed.project([historyRow(user, "b")], { catalogue: changed });
      await indexed.project([historyRow(user, "final", { watched_at: START + 9, rev: 2 })], { catalogue });
    }
    const keysOf = async (user: string) =>
      (await indexed.redis.keys(`*${user}*`)).filter((key) => key.includes(`{${user}}`));
    const dumps = async () => {
      const others = await Promise.all(users.slice(1).map(keysOf));
      return await Promise.all(
        others
          .flat()
          .sort()
          .map((key) => indexed.redis.dumpBuffer(key)),
      );
    };
    const before = await dumps();
    expect(before.length).toBeGreaterThanOrEqual(15);

    await indexed.evict("alice");
    const left = await indexed.redis.keys("*alice*");
    expect(left.filter((key) => !key.includes("{alice2}"))).toEqual([]);
    expect(await dumps()).toEqual(before);
    expect(await indexed.found("alice", { sport: "c" })).toBe("cold");
    for (const user of users.slice(1)) expect(await indexed.found(user, { sport: "c" })).toEqual(["c"]);
    if (model === "redisearch") {
      const hits = await indexed.redis.call(
        "FT.SEARCH",
        searchIndex,
        `@user:{${hexOf("alice")}}`,
        "NOCONTENT",
      );
      expect(hits).toEqual([0]);
      expect(await recordedOf(indexed.redis, "alice")).toEqual([]);
    }
  });

  test("nobody finds what only another watched, however alike the names", async () => {
    const users = ["alice", "Alice", "alic", "alice2", "alice:c", "alice-2", "a"];
    const catalogue = users.map((user) => contentOf(`of-${user}`, { sport: "cricket", teams: [user] }));
    for (const user of users) await indexed.warm(user, [historyRow(user, `of-${user}`)], { catalogue });
    for (const user of users) {
      expect(await indexed.found(user, { sport: "cricket" })).toEqual([`of-${user}`]);
      expect(await indexed.facets(user, "team")).toMatchObject({ found: [{ value: user, count: 1 }] });
    }
  });

  describe("of whom a key was overwritten", () => {
    const catalogue = [contentOf("a", { sport: "cricket" }), contentOf("b", { sport: "cricket" })];
    const rows = ["a", "b"].map((id) => historyRow("alice", id));
    const warm = () => indexed.warm("alice", rows, { catalogue });

    async function overwrite(key: string) {
      await indexed.redis.del(key);
      await indexed.redis.rpush(key, "a list where none should be");
    }
    async function keysOfAlice() {
      await warm();
      const keys = await indexed.redis.keys("wh:*alice*");
      expect(keys.length).toBeGreaterThanOrEqual(5);
      return keys;
    }

    test("become cold, and their next warming is whole", async () => {
      const seen = [];
      for (const key of await keysOfAlice()) {
        await warm();
        await overwrite(key);
        // As often as a refill tries.
        for (let rev = 2; rev <= 6; rev++) {
          const catalogueNow = catalogue.map((its) => ({ ...its, rev }));
          await indexed.project(
            rows.map((row) => ({ ...row, rev })),
            { catalogue: catalogueNow },
          );
          await indexed.warm("alice", rows, { catalogue: catalogueNow });
        }
        seen.push([key, await indexed.found("alice", { sport: "cricket" })]);
        await indexed.redis.flushall();
        indexed.index.lost();
      }
      expect(seen).toEqual(seen.map(([key]) => [key, ["b", "a"]]));
    });

    test("are never half there: who is warmed while they are evicted is whole, or cold", async () => {
      const filler = Array.from({ length: 20_000 }, (_, n) => [`wh:filler:${n}`, "x"]).flat();
      await indexed.redis.mset(...filler);
      const look = () => indexed.found("alice", { sport: "cricket" }).catch(() => "unreadable");
      for (const key of await keysOfAlice()) {
        await warm();
        await overwrite(key);
        const seen: (string | string[])[] = [];
        let over = false;
        const evicting = indexed.evict("alice").finally(() => {
          over = true;
        });
        while (!over) {
          await warm().catch(() => {});
          seen.push(await look());
        }
        await evicting;
        seen.push(await look());
        for (const found of seen) expect([["b", "a"], "cold", "unreadable"]).toContainEqual(found);
        expect(seen.at(-1)).not.toBe("unreadable");
        await indexed.evict("alice");
        await warm();
      }
    });

    test("leave nothing behind when they are evicted", async () => {
      const left = [];
      for (const key of await keysOfAlice()) {
        await warm();
        await overwrite(key);
        await indexed.evict("alice");
        left.push([key, await indexed.redis.keys("*alice*")]);
        await indexed.redis.flushall();
        indexed.index.lost();
      }
      expect(left).toEqual(left.map(([key]) => [key, []]));
    });
  });
});
