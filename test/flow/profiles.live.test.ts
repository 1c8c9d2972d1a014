import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { profileKey, ratingsKey, watchlistKey } from "../../db/redis/keys.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** Profiles, watchlists and ratings through the edge, on real stores. */

let world: World;
let user: UserId;
let users = 0;
beforeAll(async () => {
  world = await createWorld({ RATE_LIMIT_PER_MINUTE: "0" });
});
beforeEach(() => {
  users += 1;
  user = `viewer-${users}` as UserId;
});
afterAll(() => world.stop());

type Asking = Parameters<World["ask"]>[1];
async function write(method: string, path: string, body?: unknown, more: Asking = {}) {
  const headers = { "content-type": "application/json" };
  const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  return await world.ask(path, { as: user, method, ...sent, ...more });
}
const at = (path = "") => `/profiles/${user}${path}`;
const read = (path: string, more: Asking = {}) => world.ask(path, { as: user, ...more });
const idsIn = async (path: string) =>
  ((await (await read(path)).json()) as { content_id: string }[]).map(({ content_id }) => content_id);
const beat = (content_id: string, playback_time: number) => ({ content_id, playback_time, duration: 3600 });

/** Nothing is left to be published, and so no view to be mended. */
const published = () =>
  until(async () => {
    const rows = await world.db.execute(sql`SELECT FROM outbox WHERE user_id = ${user}`);
    return rows.length === 0;
  });

/** The door is counted from here on. */
function doorCount(): () => number {
  const before = world.door.requests();
  return () => world.door.requests() - before;
}

describe.each([
  ["the edge", () => ({})],
  ["ingest", () => ({ at: world.ingestUrl })],
])("%s", (_, of) => {
  test("keeps a profile, all of it as it was put last", async () => {
    const more = of();
    const missing = await read(at(), more);
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: "not_found" }]);
    const first = await write("PUT", at(), { name: "Alice", avatar: "https://a.example/a.png" }, more);
    const profile = { user_id: user, name: "Alice", avatar: "https://a.example/a.png", preferences: {} };
    expect([first.status, await first.json()]).toMatchObject([200, profile]);
    expect(await (await read(at(), more)).json()).toMatchObject(profile);
    await write("PUT", at(), { name: "Bob", preferences: { z: 1, a: [true, "ü"] } }, more);
    const now = await read(at(), more);
    expect(await now.json()).toMatchObject({
      ...{ user_id: user, name: "Bob", avatar: null, preferences: { z: 1, a: [true, "ü"] } },
      updated_at: expect.stringMatching(/Z$/),
    });
    expect(now.headers.get("cache-control")).toMatch(/^private/);
    expect(now.headers.get("vary")).toContain("Authorization");
  });

  test("keeps a watchlist, what was added last first", async () => {
    const more = of();
    expect(await (await read(at("/watchlist"), more)).json()).toEqual([]);
    for (const content_id of ["a", "b"]) {
      const added = await write("POST", at("/watchlist"), { content_id }, more);
      expect([added.status, await added.json()]).toMatchObject([
        201,
        { content_id, playback_time: null, last_watched_at: null },
      ]);
    }
    expect(await idsIn(at("/watchlist"))).toEqual(["b", "a"]);
    expect((await write("POST", at("/watchlist"), { content_id: "a" }, more)).status).toBe(200);
    for (const _again of [1, 2]) {
      expect((await write("DELETE", at("/watchlist/b"), undefined, more)).status).toBe(204);
      expect(await idsIn(at("/watchlist"))).toEqual(["a"]);
    }
  });

  test("keeps ratings, and counts them", async () => {
    const more = of();
    const movie = `movie-of-${user}`;
    expect(await (await read(at("/ratings"), more)).json()).toEqual([]);
    const first = await write("POST", at("/ratings"), { content_id: movie, rating: 3, review: "long" }, more);
    const item = { content_id: movie, rating: 3, review: "long", rated_at: expect.stringMatching(/Z$/) };
    expect([first.status, await first.json()]).toEqual([201, item]);
    expect(await (await read(at("/ratings"), more)).json()).toEqual([item]);
    expect((await write("POST", at("/ratings"), { content_id: movie, rating: 9 }, more)).status).toBe(200);
    const counted = await read(`/contents/${movie}/ratings`, { ...more, as: "somebody-else" });
    expect([counted.status, await counted.json()]).toMatchObject([
      200,
      { content_id: movie, count: 1, mean: 9, distribution: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0], reviews: [] },
    ]);
    for (const _again of [1, 2]) {
      expect((await write("DELETE", at(`/ratings/${movie}`), undefined, more)).status).toBe(204);
    }
    expect(await (await read(at("/ratings"), more)).json()).toEqual([]);
    expect(await (await read(`/contents/${movie}/ratings`, more)).json()).toMatchObject({
      count: 0,
      mean: null,
    });
  });

  test("says where the input is wrong", async () => {
    const more = of();
    const wrong: [string, string, unknown, string][] = [
      ["PUT", at(), { name: "" }, "name"],
      ["PUT", at(), { name: "A", avatar: "ftp://a" }, "avatar"],
      ["PUT", at(), { name: "A", preferences: { a: "\0" } }, "preferences"],
      ["PUT", at(), { name: "A", nickname: "B" }, "nickname"],
      ["POST", at("/watchlist"), { content_id: "" }, "content_id"],
      ["POST", at("/ratings"), { content_id: "a", rating: 11 }, "rating"],
      ["POST", at("/ratings"), { content_id: "a", rating: 1, review: "x".repeat(5_001) }, "review"],
      ["DELETE", at("/watchlist/a%20b"), undefined, "content_id"],
      ["DELETE", at("/ratings/a%20b"), undefined, "content_id"],
      ["GET", at("/watchlist?sort=title"), undefined, "sort"],
      ["GET", at("/watchlist?cursor=1"), undefined, "cursor"],
      ["GET", at("/ratings?limit=201"), undefined, "limit"],
      ["GET", "/contents/a/ratings?cursor=1_a", undefined, "cursor"],
      ["GET", "/contents/a%20b/ratings", undefined, "content_id"],
    ];
    for (const [method, path, body, fault] of wrong) {
      const answer = await write(method, path, body, more);
      expect([path, answer.status, await answer.json()]).toMatchObject([
        ...[path, 422],
        { code: "invalid_input", errors: [{ path: fault }] },
      ]);
    }
    const text = { headers: { "content-type": "text/plain" }, body: "{}", ...more };
    expect((await write("PUT", at(), undefined, text)).status).toBe(415);
    const broken = { headers: { "content-type": "application/json" }, body: "{", ...more };
    expect((await write("POST", at("/watchlist"), undefined, broken)).status).toBe(400);
  });

  test("shows it to whoever may see it, and lets others change it only who may", async () => {
    const more = of();
    await write("POST", at("/watchlist"), { content_id: "a" }, more);
    const asks = async (method: string, path: string, roles: string[], body?: unknown) =>
      (await write(method, path, body, { ...more, as: "stranger", token: { roles } })).status;
    for (const path of [at("/watchlist"), at("/ratings")]) {
      expect(await asks("GET", path, ["user"])).toBe(403);
      expect(await asks("GET", path, ["support"])).toBe(200);
    }
    expect(await asks("POST", at("/watchlist"), ["support"], { content_id: "b" })).toBe(403);
    expect(await asks("POST", at("/watchlist"), ["service"], { content_id: "b" })).toBe(201);
    expect(await asks("PUT", at(), ["user"], { name: "Eve" })).toBe(403);
    expect(await asks("DELETE", at("/ratings/a"), ["user"])).toBe(403);
    expect(await asks("PUT", at(), ["admin"], { name: "Alice" })).toBe(200);
  });
});

describe("a warm read", () => {
  test("is one request to the door, and a tag costs nothing more", async () => {
    await world.watched(user, beat("a", 600));
    await write("PUT", at(), { name: "Alice" });
    await write("POST", at("/watchlist"), { content_id: "a" });
    await write("POST", at("/ratings"), { content_id: "a", rating: 8 });
    await published();
    for (const path of [
      at(),
      at("/watchlist"),
      at("/ratings"),
      at("/watchlist?limit=1"),
      at("/ratings?limit=1"),
    ]) {
      await read(path); // the history is warm, and Redis has the script
      const asked = doorCount();
      const answer = await read(path);
      const etag = answer.headers.get("etag") ?? "";
      expect([path, answer.status, etag.length > 2, asked()]).toEqual([path, 200, true, 1]);
      const same = await read(path, { headers: { "if-none-match": etag } });
      expect([path, same.status, await same.text(), asked()]).toEqual([path, 304, "", 2]);
    }
  });

  test("has another tag after every change, and shows it", async () => {
    const tags = new Set<string | null>();
    const tagOf = async (path: string) => (await read(path)).headers.get("etag");
    await write("POST", at("/watchlist"), { content_id: "a" });
    await read(at("/watchlist"));
    tags.add(await tagOf(at("/watchlist")));
    await world.watched(user, beat("a", 600));
    tags.add(await tagOf(at("/watchlist")));
    await write("POST", at("/watchlist"), { content_id: "b" });
    tags.add(await tagOf(at("/watchlist")));
    await write("DELETE", at("/watchlist/b"));
    tags.add(await tagOf(at("/watchlist")));
    expect([tags.size, tags.has(null)]).toEqual([4, false]);
  });

  test("goes on while ingest is away; what it cannot answer is 503, and so are writes", async () => {
    const away = await createWorld({ RATE_LIMIT_PER_MINUTE: "0" });
    try {
      const there = (path: string, more: Asking = {}) => away.ask(path, { as: "alice", ...more });
      const put = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"name":"A"}' };
      expect((await there("/profiles/alice", put)).status).toBe(200);
      await away.services[0]?.stop();
      expect((await there("/profiles/alice")).status).toBe(200);
      const cold = await there("/profiles/bob/ratings", { as: "bob" });
      expect([cold.status, await cold.json()]).toMatchObject([
        503,
        { detail: "the ratings are out of reach" },
      ]);
      expect((await there("/profiles/alice", put)).status).toBe(503);
      expect((await there("/contents/a/ratings")).status).toBe(503);
    } finally {
      await away.stop();
    }
  });
});

describe("a cold read", () => {
  test("is answered by ingest, which makes it warm: also when its time has come", async () => {
    await write("PUT", at(), { name: "Alice" });
    await write("POST", at("/watchlist"), { content_id: "a" });
    await write("POST", at("/ratings"), { content_id: "a", rating: 8 });
    await published();
    await world.redis.flushall();
    for (const path of [at(), at("/watchlist"), at("/ratings")]) {
      const cold = await read(path);
      const text = await cold.text();
      expect([path, cold.status, cold.headers.get("etag")]).toEqual([path, 200, null]);
      const warm = await read(path);
      expect([path, warm.headers.get("etag") !== null, await warm.text()]).toEqual([path, true, text]);
      for (const key of [profileKey(user), watchlistKey(user), ratingsKey(user)]) {
        await world.redis.pexpire(key, 1);
        await until(async () => (await world.redis.exists(key)) === 0);
      }
      expect([path, await (await read(path)).text()]).toEqual([path, text]);
    }
  });

  test("of nothing is remembered as nothing", async () => {
    for (const path of [at("/watchlist"), at("/ratings"), at()]) await read(path);
    const ingest = await world.ask(at(), { as: user });
    expect(ingest.status).toBe(404);
    expect((await read(at("/watchlist"))).headers.get("etag")).not.toBeNull();
    expect((await read(at("/ratings"))).headers.get("etag")).not.toBeNull();
    expect(await world.redis.hget(profileKey(user), "body")).toBe("");
  });

  test("of a page beyond what Redis holds comes from Postgres, so that a list has no holes", async () => {
    await world.db.execute(sql`
      INSERT INTO ratings (user_id, content_id, rating, rated_at)
      SELECT ${user}, 'c' || n, 5, 1000 + n FROM generate_series(1, 130) n`);
    const told: string[] = [];
    let path = at("/ratings?limit=40");
    for (;;) {
      const answer = await read(path);
      told.push(...((await answer.json()) as { content_id: string }[]).map(({ content_id }) => content_id));
      const next = /<(.+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
      if (next === undefined) break;
      path = next;
    }
    expect(told).toEqual(Array.from({ length: 130 }, (_, n) => `c${130 - n}`));
  });
});

describe("a watchlist", () => {
  const progress = async () => {
    const items = (await (await read(at("/watchlist"))).json()) as {
      content_id: string;
      playback_time: number | null;
      resume_position_seconds: number | null;
      completed: boolean;
    }[];
    return Object.fromEntries(
      items.map((its) => [its.content_id, [its.playback_time, its.resume_position_seconds, its.completed]]),
    );
  };

  test("says how far its viewer came: after a heartbeat, a mark, a forget, a clear and in a pause", async () => {
    for (const content_id of ["a", "b", "c"]) await write("POST", at("/watchlist"), { content_id });
    expect(await progress()).toEqual({
      a: [null, null, false],
      b: [null, null, false],
      c: [null, null, false],
    });
    await world.watched(user, beat("a", 600), beat("b", 1200));
    expect(await progress()).toMatchObject({
      a: [600, 600, false],
      b: [1200, 1200, false],
      c: [null, null, false],
    });
    await write("PUT", `/users/${user}/watchhistory/c/watched`);
    expect(await progress()).toMatchObject({ c: [0, null, true] });
    await write("DELETE", `/users/${user}/watchhistory/b`);
    expect(await progress()).toMatchObject({ a: [600, 600, false], b: [null, null, false] });
    await write("PUT", `/users/${user}/watchhistory/settings`, { paused: true });
    await world.watched(user, beat("b", 900));
    expect(await progress()).toMatchObject({ b: [null, null, false] });
    await write("DELETE", `/users/${user}/watchhistory`);
    expect(await progress()).toEqual({
      a: [null, null, false],
      b: [null, null, false],
      c: [null, null, false],
    });
  });

  test("is not in the history, its facets and rows, nor in what analysts see, and outlives a clear", async () => {
    const service = { as: "catalogue", token: { roles: ["service"] } };
    const show = { kind: "episode", title: "One", show: "Dunes", season: 1, episode: 1, sport: "football" };
    await write("PUT", `/contents/wl-${user}`, show, service);
    await write("POST", at("/watchlist"), { content_id: `wl-${user}` });
    await write("POST", at("/ratings"), { content_id: `wl-${user}`, rating: 10 });
    await world.watched(user, beat("seen", 600));
    const list = async (path: string) => await (await read(`/users/${user}${path}`)).json();
    expect(await list("/watchhistory")).toMatchObject([{ content_id: "seen" }]);
    expect(await list("/watchhistory?show=Dunes")).toEqual([]);
    expect(await list("/watchhistory/facets?by=sport")).toEqual([]);
    expect(await list("/continue-watching")).toMatchObject([{ content_id: "seen" }]);
    expect(await list("/next-up")).toEqual([]);
    expect(await list("/changes")).toMatchObject({ changes: [{ content_id: "seen" }] });
    expect((await read(`/users/${user}/watchhistory/wl-${user}`)).status).toBe(404);
    const rows = await world.db.execute(sql`SELECT content_id FROM watch_history WHERE user_id = ${user}`);
    expect(Array.from(rows)).toEqual([{ content_id: "seen" }]);
    const analytics = await write("GET", `/contents/wl-${user}/analytics`, undefined, service);
    expect(await analytics.json()).toMatchObject({ viewers: 0, plays: 0 });
    const unknown = `unknown-of-${user}`;
    await write("POST", at("/ratings"), { content_id: unknown, rating: 10 });
    expect((await write("GET", `/contents/${unknown}/analytics`, undefined, service)).status).toBe(404);

    await write("DELETE", `/users/${user}/watchhistory`);
    expect(await list("/watchhistory")).toEqual([]);
    expect(await idsIn(at("/watchlist"))).toEqual([`wl-${user}`]);
    expect(await (await read(at("/watchlist"))).json()).toMatchObject([{ title: "One", thumbnail: null }]);
  });

  test("keeps what was watched when it leaves the list", async () => {
    await write("POST", at("/watchlist"), { content_id: "both" });
    await world.watched(user, beat("both", 600));
    await write("DELETE", at("/watchlist/both"));
    expect(await world.history(user)).toMatchObject([{ content_id: "both", playback_time: 600 }]);
  });

  test("comes by page, also while it grows, and a history that Redis holds in part says what it knows", async () => {
    const small = await createWorld({ HISTORY_LIMIT: "2", RATE_LIMIT_PER_MINUTE: "0" });
    try {
      const add = (content_id: string) =>
        small.ask("/profiles/alice/watchlist", {
          ...{ method: "POST", headers: { "content-type": "application/json" } },
          body: JSON.stringify({ content_id }),
        });
      for (const content of ["a", "b", "c", "d", "e"]) {
        await small.watched("alice", beat(content, 600));
        await add(content);
      }
      const first = await small.ask("/profiles/alice/watchlist?limit=2");
      expect(await first.json()).toMatchObject([{ content_id: "e" }, { content_id: "d" }]);
      await add("f");
      const next = /<(.+)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
      const second = await (await small.ask(next)).json();
      expect(second).toMatchObject([
        { content_id: "c", playback_time: 600 },
        { content_id: "b", playback_time: 600 },
      ]);
    } finally {
      await small.stop();
    }
  });
});

test("reviews come by page, with the name of their writers and without their ids", async () => {
  const movie = `reviewed-${user}`;
  for (let n = 0; n < 5; n += 1) {
    const writer = `writer-${n}-${user}`;
    await write(
      "POST",
      `/profiles/${writer}/ratings`,
      { content_id: movie, rating: 5 + n, review: `${n}` },
      { as: writer },
    );
    if (n % 2 === 0) await write("PUT", `/profiles/${writer}`, { name: `Name ${n}` }, { as: writer });
  }
  const told: unknown[] = [];
  let path = `/contents/${movie}/ratings?limit=2`;
  for (;;) {
    const answer = await read(path);
    const text = await answer.text();
    expect(text + (answer.headers.get("link") ?? "")).not.toContain("writer-");
    const { count, mean, reviews } = JSON.parse(text);
    expect([count, mean]).toEqual([5, 7]);
    told.push(...reviews.map((its: { review: string; name: string | null }) => [its.review, its.name]));
    const next = /<(.+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
    if (next === undefined) break;
    path = next;
  }
  expect(told).toEqual([
    ["4", "Name 4"],
    ["3", null],
    ["2", "Name 2"],
    ["1", null],
    ["0", "Name 0"],
  ]);
});

test("what changes is told to the bus, once", async () => {
  const told = async () => {
    const entries = await world.redis.xrange("events:{stream:watch-history}", "-", "+");
    const events = entries.map(([, fields]) => JSON.parse(fields[fields.indexOf("event") + 1] ?? ""));
    return events.filter((event) => event.subject === user).map(({ type }) => type);
  };
  for (const _again of [1, 2]) {
    await write("PUT", at(), { name: "Alice" });
    await write("POST", at("/watchlist"), { content_id: "a" });
    await write("POST", at("/ratings"), { content_id: "a", rating: 8 });
  }
  await write("DELETE", at("/watchlist/a"));
  await until(async () => (await told()).length >= 4);
  expect(await told()).toEqual(["ProfileUpdated", "WatchlistUpdated", "VideoRated", "WatchlistUpdated"]);
});
