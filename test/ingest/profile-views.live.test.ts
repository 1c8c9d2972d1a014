import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { historyKeys, profileKey, ratingsKey, watchlistKey } from "../../db/redis/keys.ts";
import { packProgress } from "../../db/redis/records.ts";
import { createProfiles, type Profiles } from "../support/profiles.ts";
import { contentOf, historyRow } from "../support/rows.ts";
import { until } from "../support/until.ts";

const alice = "alice" as UserId;
const id = (text: string) => text as ContentId;
const TTL_MS = 60_000;

let world: Profiles;
beforeAll(async () => {
  world = await createProfiles({ ttlMs: TTL_MS });
});
beforeEach(() => world.empty());
afterAll(() => world.stop());

/** The history of somebody is warm, and holds this. */
async function warmHistory(its: Record<string, string>, state: Record<string, number | string> = {}) {
  const [stateKey, orderKey, progressKey] = historyKeys(alice);
  await world.redis.hset(stateKey, { epoch: "e", warm: 1, seq: 4, ...state });
  for (const [content, packed] of Object.entries(its)) {
    await world.redis.hset(progressKey, content, packed);
    const watched_at = /^\[\[\d+,(\d+)/.exec(packed)?.[1];
    if (watched_at) await world.redis.zadd(orderKey, watched_at, content);
  }
}
const packed = (content: string, its = {}) =>
  packProgress(historyRow(alice, content, its), contentOf(content));

describe("a view", () => {
  test("is cold until it is put, and nothing is something", async () => {
    expect(await world.shown.profile(alice)).toEqual({ state: "cold" });
    expect(await world.shown.ratings(alice)).toEqual({ state: "cold" });
    await world.views.rewrite(alice);
    expect(await world.shown.profile(alice)).toEqual({
      state: "page",
      version: "0",
      complete: true,
      found: null,
    });
    expect(await world.shown.ratings(alice)).toMatchObject({ state: "page", complete: true, found: [] });
    expect(await world.shown.watchlist(alice)).toEqual({ state: "cold" }); // the history is
    await warmHistory({});
    expect(await world.shown.watchlist(alice)).toMatchObject({ state: "page", complete: true, found: [] });
  });

  test("of an older version never takes the place of a newer one, whenever it comes", async () => {
    const library = world.library();
    await library.rate(alice, { content_id: id("a"), rating: 3, review: null });
    const slow = await world.views.load.ratings(world.db, alice);
    await library.rate(alice, { content_id: id("a"), rating: 9, review: null });
    await world.views.put(slow);
    expect(await world.shown.ratings(alice)).toMatchObject({ found: [{ content_id: "a", rating: 9 }] });
  });

  test("that was loaded before a newer one has expired with it, and is not brought back", async () => {
    const library = world.library();
    await library.rate(alice, { content_id: id("a"), rating: 3, review: null });
    const slow = await world.viewsAt(() => Date.now() - TTL_MS - 1).load.ratings(world.db, alice);
    await library.rate(alice, { content_id: id("a"), rating: 9, review: null });
    await world.redis.del(ratingsKey(alice)); // its time has come
    await world.views.put(slow);
    expect(await world.shown.ratings(alice)).toEqual({ state: "cold" });
  });

  test("of the same version stays as it is, and expires when it would have", async () => {
    await world.views.rewrite(alice);
    await world.redis.pexpire(profileKey(alice), 5_000);
    await world.views.rewrite(alice);
    expect(await world.redis.pttl(profileKey(alice))).toBeLessThanOrEqual(5_000);
  });

  test("expires as long after it was loaded as it may live", async () => {
    await world.views.rewrite(alice);
    for (const key of [profileKey(alice), watchlistKey(alice), ratingsKey(alice)]) {
      const left = await world.redis.pttl(key);
      expect([left > TTL_MS - 10_000, left <= TTL_MS]).toEqual([true, true]);
    }
    await world.redis.del(profileKey(alice));
    await world.views.put(await world.viewsAt(() => Date.now() - TTL_MS + 300).load.profile(world.db, alice));
    expect(await world.shown.profile(alice)).toMatchObject({ state: "page" });
    await until(async () => (await world.shown.profile(alice)).state === "cold");
  });

  test("takes the place of whatever else somebody put there", async () => {
    await world.redis.set(profileKey(alice), "nonsense");
    await world.views.rewrite(alice);
    expect(await world.shown.profile(alice)).toMatchObject({ state: "page", found: null });
  });

  test("that a crash left old is what Postgres says once it is rewritten, also one that is not there", async () => {
    const away = { ...world.views, put: () => Promise.reject(new Error("Redis is away")) };
    const library = world.library({ views: away });
    await world.views.rewrite(alice);
    const before = await world.views.load.ratings(world.db, alice);
    expect(await library.rate(alice, { content_id: id("a"), rating: 3, review: null })).toMatchObject({
      seen: false,
    });
    await library.add(alice, id("b"));
    expect(await world.shown.ratings(alice)).toMatchObject({ found: [] });
    await world.redis.del(ratingsKey(alice));

    await world.views.rewrite(alice);
    await world.views.put(before); // a refill that began before, and comes late
    await warmHistory({});
    expect(await world.shown.ratings(alice)).toMatchObject({ found: [{ rating: 3 }] });
    expect(await world.shown.watchlist(alice)).toMatchObject({ found: [{ content_id: "b" }] });
  });

  test("is not sent to whoever has it", async () => {
    await world.views.rewrite(alice);
    await warmHistory({});
    expect(await world.shown.profile(alice, "0")).toEqual({ state: "same", version: "0" });
    expect(await world.shown.ratings(alice, undefined, "0")).toEqual({ state: "same", version: "0" });
    const seen = await world.shown.watchlist(alice);
    const version = seen.state === "page" ? seen.version : "";
    expect(await world.shown.watchlist(alice, undefined, version)).toEqual({ state: "same", version });
    await world.redis.hincrby(historyKeys(alice)[0], "seq", 1); // somebody watches
    expect(await world.shown.watchlist(alice, undefined, version)).toMatchObject({ state: "page" });
  });
});

describe("what ingest answers", () => {
  const page = { limit: 50, after: null };

  test("is kept, also when it is nothing: but not of who was erased", async () => {
    const read = async (its: ReturnType<Profiles["reader"]>) => [
      await its.profile(alice),
      await its.watchlist(alice, page),
      await its.ratings(alice, page),
    ];
    expect(await read(world.reader({ isErased: async () => true }))).toEqual([null, [], []]);
    expect(await world.redis.dbsize()).toBe(0);
    expect(await read(world.reader())).toEqual([null, [], []]);
    expect(await world.redis.dbsize()).toBe(3);
  });

  test("warms the history of whose watchlist is read, if it is cold", async () => {
    const warmed: UserId[] = [];
    const reader = world.reader({ refill: async (user) => void warmed.push(user) });
    await reader.watchlist(alice, page);
    await warmHistory({});
    await reader.watchlist(alice, page);
    expect(warmed).toEqual([alice]);
  });
});

describe("ratings", () => {
  const rate = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      await world.db.execute(sql`INSERT INTO ratings (user_id, content_id, rating, rated_at)
        VALUES (${alice}, ${`c${String(n).padStart(3, "0")}`}, 5, ${1_000 + Math.floor(n / 2)})`);
    }
    await world.views.rewrite(alice);
  };
  const idsOf = (seen: Awaited<ReturnType<Profiles["shown"]["ratings"]>>) =>
    seen.state === "page" ? [seen.complete, ...seen.found.map(({ content_id }) => content_id)] : [seen.state];

  test("come by page, newest first, equal times by id as bytes", async () => {
    await rate(5);
    const page = (at: number, content_id: string, limit = 2) =>
      world.shown.ratings(alice, { limit, after: { watched_at: at, content_id: id(content_id) } });
    expect(idsOf(await world.shown.ratings(alice, { limit: 2, after: null }))).toEqual([
      true,
      "c004",
      "c003",
      "c002",
    ]);
    expect(idsOf(await page(1_001, "c003"))).toEqual([true, "c002", "c001", "c000"]);
    expect(idsOf(await page(1_000, "c001"))).toEqual([true, "c000"]);
    expect(idsOf(await page(1_000, "c000"))).toEqual([true]);
  });

  test("beyond what Redis holds are for Postgres to tell", async () => {
    await rate(103);
    expect(idsOf(await world.shown.ratings(alice, { limit: 50, after: null }))[0]).toBe(true);
    const [complete, ...ids] = idsOf(await world.shown.ratings(alice));
    expect([complete, ids.length]).toEqual([false, 100]);
  });
});

describe("a watchlist", () => {
  const add = async (...contents: string[]) => {
    for (const [n, content] of contents.entries()) {
      await world.library({ clock: () => Date.UTC(2026, 0, 1) + n }).add(alice, id(content));
    }
  };
  const progressOf = async () => {
    const seen = await world.shown.watchlist(alice);
    if (seen.state !== "page") return seen.state;
    const items = seen.found.map(({ content_id, progress }) => [content_id, progress?.playback_time ?? null]);
    return { complete: seen.complete, ...Object.fromEntries(items) };
  };

  test("says how far its viewer came, as the history has it now", async () => {
    await add("seen", "forgotten", "never", "cleared");
    await warmHistory(
      { seen: packed("seen"), forgotten: "[[7],[0]]", cleared: packed("cleared", { watched_at: 50 }) },
      { cleared: 50 },
    );
    expect(await progressOf()).toEqual({
      complete: true,
      seen: 1_800,
      forgotten: null,
      never: null,
      cleared: null,
    });
    await world.redis.hset(historyKeys(alice)[2], "seen", packed("seen", { playback_time: 2_000, rev: 2 }));
    expect(await progressOf()).toMatchObject({ seen: 2_000 });
  });

  test("asks ingest for what the history may have in Postgres alone", async () => {
    await add("seen", "forgotten");
    await warmHistory({ seen: packed("seen"), forgotten: "[[7],[0]]" }, { floor: 50 });
    expect(await progressOf()).toEqual({ complete: true, seen: 1_800, forgotten: null });
    await add("never");
    expect(await progressOf()).toMatchObject({ complete: false, never: null });
    await world.redis.hset(historyKeys(alice)[0], "cleared", 50); // what lies below the floor is forgotten
    expect(await progressOf()).toMatchObject({ complete: true });
  });

  test("has another version when the catalogue says something else of it", async () => {
    await add("a");
    await warmHistory({});
    const before = await world.shown.watchlist(alice);
    await world.db.execute(
      sql`INSERT INTO contents (content_id, title, thumbnail) VALUES ('a', 'A', 'a.png')`,
    );
    await world.redis.del(watchlistKey(alice)); // it has expired
    await world.views.rewrite(alice);
    const after = await world.shown.watchlist(alice);
    expect(before).toMatchObject({ found: [{ title: null }] });
    expect(after).toMatchObject({ found: [{ title: "A", thumbnail: "a.png" }] });
    expect([before, after].map((its) => "version" in its && its.version.split(".")[0])).toEqual(
      Array(2).fill(String(await world.rev(alice))),
    );
    expect("version" in before && "version" in after && before.version === after.version).toBe(false);
    await world.db.execute(sql`UPDATE contents SET removed = true`);
    await world.redis.del(watchlistKey(alice));
    await world.views.rewrite(alice);
    expect(await world.shown.watchlist(alice)).toMatchObject({ found: [{ title: null, thumbnail: null }] });
  });

  test("of a thousand items with names like ours comes by page", async () => {
    const names = [
      "rev",
      "order",
      "made",
      "whole",
      "a_b",
      ":x",
      ...Array.from({ length: 994 }, (_, n) => `c${n}`),
    ];
    await world.db.execute(sql`
      INSERT INTO listitems (user_id, playlist, content_id, created_at)
      SELECT ${alice}, 'watchlist', name, to_timestamp(1767225600.123 + n)
      FROM unnest(${`{${names.join(",")}}`}::text[]) WITH ORDINALITY AS t (name, n)`);
    await world.views.rewrite(alice);
    await warmHistory({});
    const told: string[] = [];
    for (let after: { watched_at: number; content_id: ContentId } | null = null; ; ) {
      const seen = await world.shown.watchlist(alice, { limit: 199, after });
      if (seen.state !== "page") throw new Error(seen.state);
      const page = seen.found.slice(0, 199);
      told.push(...page.map(({ content_id }) => content_id));
      const last = page.at(-1);
      if (seen.found.length <= 199 || !last) break;
      expect(last.added_at % 1_000).toBe(123);
      after = { watched_at: last.added_at, content_id: last.content_id };
    }
    expect(told).toEqual(names.toReversed());
  });
});
