import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ContinueItem } from "../../db/contract/continue-watching.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { evict } from "../../ingest/views/evict.ts";
import { putContents } from "../support/catalogue.ts";
import { commandCounts } from "../support/indexed.ts";
import { contentOf } from "../support/rows.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

const CATALOGUE = [
  contentOf("movie", { title: "A movie", thumbnail: "https://example.com/movie.jpg", duration: 1_000 }),
  ...[1, 2, 3].map((n) =>
    contentOf(`s1e${n}`, { title: `Part ${n}`, show: "Serial", season: 1, episode: n }),
  ),
  contentOf("race", { title: "The race", kind: "live" }),
  contentOf("film", { title: "A film", credits_at: 900 }),
];

let viewers = 0;
/** A viewer whom no other test knows. */
const someone = () => `viewer-${++viewers}`;

function beat(content_id: string, secondsAgo: number, playback_time = 400) {
  return { content_id, playback_time, duration: 1_000, occurred_at: Date.now() - secondsAgo * 1000 };
}

function readersOf(world: World) {
  const path = (viewer: string, query = "") => `/users/${viewer}/continue-watching${query}`;
  return {
    path,
    async entries(viewer: string, query = "", more = {}): Promise<ContinueItem[]> {
      const response = await world.ask(path(viewer, query), { as: viewer, ...more });
      expect(response.status).toBe(200);
      return (await response.json()) as ContinueItem[];
    },
    async ids(viewer: string, query = "", more = {}): Promise<string[]> {
      return (await this.entries(viewer, query, more)).map((entry) => entry.content_id);
    },
  };
}

describe("what to continue", () => {
  let world: World;
  let read: ReturnType<typeof readersOf>;
  beforeAll(async () => {
    world = await createWorld();
    await putContents(world.db, CATALOGUE);
    read = readersOf(world);
  });
  afterAll(() => world.stop());

  const dismiss = async (viewer: string, content: string, method = "POST") => {
    const path = `/users/${viewer}/continue-watching/${content}/dismissed`;
    expect((await world.ask(path, { as: viewer, method })).status).toBe(204);
  };

  test("is what was begun and not finished, newest first, one entry a show", async () => {
    const viewer = someone();
    await world.watched(
      viewer,
      ...[beat("s1e1", 90), beat("movie", 80), beat("s1e2", 70), beat("unknown", 60), beat("race", 50)],
      ...[beat("film", 40, 950), beat("looked-in", 30, 29), beat("done", 20, 951), beat("s1e3", 10, 990)],
    );
    const entries = await read.entries(viewer);
    expect(entries).toEqual([
      expect.objectContaining({ content_id: "unknown", progress: 0.4, title: null }),
      expect.objectContaining({ content_id: "s1e2", title: "Part 2", show: "Serial", season: 1, episode: 2 }),
      {
        ...(await world.history(viewer)).find((item) => item.content_id === "movie"),
        ...{ title: "A movie", thumbnail: "https://example.com/movie.jpg", progress: 0.4 },
        ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
      },
    ]);
    expect(await read.ids(viewer, "?limit=1")).toEqual(["unknown"]);

    await world.watched(viewer, beat("unknown", 1, 1_000));
    expect(await read.ids(viewer)).toEqual(["s1e2", "movie"]);
    await world.watched(viewer, beat("unknown", 0, 100));
    expect(await read.ids(viewer)).toEqual(["unknown", "s1e2", "movie"]);
  });

  test("a dismissed entry hides its show, without touching the history, until newer activity", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("s1e1", 90), beat("s1e2", 80), beat("movie", 70));
    const history = await world.history(viewer);
    await dismiss(viewer, "s1e2");
    expect(await read.ids(viewer)).toEqual(["movie"]);
    expect(await world.history(viewer)).toEqual(history);
    await evict(world.redis, viewer as UserId);
    expect(await read.ids(viewer)).toEqual(["movie"]);

    await dismiss(viewer, "s1e2", "DELETE");
    expect(await read.ids(viewer)).toEqual(["movie", "s1e2"]);
    await dismiss(viewer, "s1e2");
    await world.watched(viewer, { content_id: "s1e1", playback_time: 500, duration: 1_000 });
    expect(await read.ids(viewer)).toEqual(["s1e1", "movie"]);
  });

  test("what is marked as watched, forgotten or cleared is not in it", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("movie", 90), beat("film", 80), beat("unknown", 70));
    const change = async (method: string, path: string) =>
      expect((await world.ask(`/users/${viewer}${path}`, { as: viewer, method })).status).toBe(204);
    await change("PUT", "/watchhistory/movie/watched");
    expect(await read.ids(viewer)).toEqual(["unknown", "film"]);
    await change("DELETE", "/watchhistory/unknown");
    expect(await read.ids(viewer)).toEqual(["film"]);
    await change("DELETE", "/watchhistory");
    expect(await read.entries(viewer)).toEqual([]);
  });

  test("a tag answers 304 until something changes, for its own query", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("movie", 90));
    await read.entries(viewer); // warm
    const first = await world.ask(read.path(viewer), { as: viewer });
    const tag = first.headers.get("etag") ?? "";
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    expect(first.headers.get("vary")).toBe("Origin, Authorization");
    const again = (query = "") =>
      world.ask(read.path(viewer, query), { as: viewer, headers: { "if-none-match": tag } });
    const same = await again();
    expect([same.status, await same.text(), same.headers.get("etag")]).toEqual([304, "", tag]);
    expect((await again("?limit=5")).status).toBe(200);
    await dismiss(viewer, "movie");
    const changed = await again();
    expect([changed.status, await changed.json()]).toEqual([200, []]);
  });

  test("is one script at the edge, and asks nothing of ingest", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("movie", 90), beat("s1e1", 80));
    await read.entries(viewer);
    await world.redis.config("RESETSTAT");
    expect(await read.ids(viewer)).toEqual(["s1e1", "movie"]);
    expect((await commandCounts(world.redis)).get("evalsha_ro")).toBe(1);
  });

  test("cold users are answered as well: never asked before, evicted, all views lost", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("movie", 90), beat("film", 80));
    for (const lose of [
      async () => {},
      () => evict(world.redis, viewer as UserId),
      () => world.redis.flushall(),
    ]) {
      await lose();
      expect(await read.ids(viewer)).toEqual(["film", "movie"]);
      expect(await read.ids(viewer)).toEqual(["film", "movie"]);
    }
    expect(await read.entries(someone())).toEqual([]);
  });

  test("is nobody else's, but support may read it; nothing but a limit is taken", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("movie", 90));
    await read.entries(viewer); // warm: the edge answers by itself
    const status = async (query: string, asking = {}) =>
      (await world.ask(read.path(viewer, query), { as: viewer, ...asking })).status;
    expect(await status("", { as: "mallory" })).toBe(403);
    expect(await read.ids(viewer, "", { as: "sue", token: { roles: ["support"] } })).toEqual(["movie"]);
    for (const query of [
      "?limit=0",
      "?limit=101",
      "?limit=x",
      "?limit=1&limit=2",
      "?show=Serial",
      "?cursor=",
    ]) {
      expect([query, await status(query)]).toEqual([query, 422]);
      expect([query, await status(query, { at: world.ingestUrl })]).toEqual([query, 422]);
    }
    expect(await status("", { as: "mallory", at: world.ingestUrl })).toBe(403);
  });
});

describe("a history longer than HISTORY_LIMIT", () => {
  let world: World;
  let read: ReturnType<typeof readersOf>;
  beforeAll(async () => {
    world = await createWorld({ HISTORY_LIMIT: "5" });
    read = readersOf(world);
  });
  afterAll(() => world.stop());

  test("is looked through as far as that, warm or cold, and further when something newer is forgotten", async () => {
    const viewer = someone();
    const begun = new Set([0, 2, 4, 6, 8]);
    await world.watched(
      viewer,
      ...Array.from({ length: 10 }, (_, n) => beat(`c${n}`, 100 - n, begun.has(n) ? 400 : 1_000)),
    );
    expect(await read.ids(viewer)).toEqual(["c8", "c6"]);
    // Warm now, and as full as it may be: nobody else need be asked.
    await world.redis.config("RESETSTAT");
    expect(await read.ids(viewer)).toEqual(["c8", "c6"]);
    expect((await commandCounts(world.redis)).get("evalsha_ro")).toBe(1);

    await world.ask(`/users/${viewer}/watchhistory/c9`, { as: viewer, method: "DELETE" });
    expect(await read.ids(viewer)).toEqual(["c8", "c6", "c4"]);
    await evict(world.redis, viewer as UserId);
    expect(await read.ids(viewer)).toEqual(["c8", "c6", "c4"]);
    expect(await read.ids(viewer, "?limit=2")).toEqual(["c8", "c6"]);
  });
});

describe("the bad day", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    return () => world.stop();
  });

  test("Redis away: Postgres answers, by ingest; ingest away as well: 503", async () => {
    const read = readersOf(world);
    await world.watched("alice", beat("movie", 90), beat("film", 80));
    expect(await read.ids("alice")).toEqual(["film", "movie"]);
    await world.killRedis();
    expect(await read.ids("alice")).toEqual(["film", "movie"]);

    for (const service of world.services) await service.stop();
    const neither = await world.ask(read.path("alice"));
    expect([neither.status, neither.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await neither.json()).toMatchObject({ code: "unavailable" });
  });

  test("an index that is lost is no reason not to answer", async () => {
    const read = readersOf(world);
    await world.watched("alice", beat("movie", 90));
    expect(await read.ids("alice")).toEqual(["movie"]);
    await world.redis.call("FT.DROPINDEX", "wh:idx").catch(() => world.redis.call("FT.DROP", "wh:idx"));
    await world.redis.del("wh:index");
    expect(await read.ids("alice")).toEqual(["movie"]);
    await until(async () => (await read.ids("alice")).length === 1);
  });
});
