import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Change, Changes } from "../../db/contract/changes.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { evict } from "../../ingest/views/evict.ts";
import { feedClient } from "../support/feed.ts";
import { commandCounts } from "../support/indexed.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

let viewers = 0;
/** A viewer whom no other test knows. */
const someone = () => `viewer-${++viewers}`;

function beat(content_id: string, secondsAgo: number, playback_time = 400) {
  return { content_id, playback_time, duration: 1_000, occurred_at: Date.now() - secondsAgo * 1000 };
}

const told = ({ changes }: Changes) => changes.map(nameOf);
const nameOf = (change: Change) => ("deleted" in change ? `-${change.content_id}` : change.content_id);

function followerOf(world: World, viewer: string, more = {}) {
  return feedClient(async (path) => {
    const response = await world.ask(`/users/${viewer}${path}`, { as: viewer, ...more });
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(response.headers.get("vary")).toMatch(/Authorization/);
    return (await response.json()) as Changes;
  });
}

/** What a service says of a content. */
async function catalogue(world: World, content: string, facts: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const asking = { as: "catalogue", token: { roles: ["service"] }, method: "PUT", headers };
  await world.ask(`/contents/${content}`, { ...asking, body: JSON.stringify(facts) });
}

describe("the change feed", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.stop());

  const change = async (viewer: string, method: string, path: string) =>
    expect((await world.ask(`/users/${viewer}${path}`, { as: viewer, method })).status).toBe(204);

  test("tells what there is, then what changed, deletions included", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 90), beat("b", 80));
    const client = followerOf(world, viewer);
    const first = await client.poll(100);
    expect(told(first).sort()).toEqual(["a", "b"]);
    expect(first).toEqual({ changes: expect.anything(), cursor: expect.any(String), has_more: false });
    expect(await client.poll(100)).toEqual({ changes: [], cursor: first.cursor, has_more: false });

    await world.watched(viewer, beat("c", 70), beat("a", 10, 500));
    await change(viewer, "DELETE", "/watchhistory/b");
    await change(viewer, "PUT", "/watchhistory/c/watched");
    expect(told(await client.poll(100)).sort()).toEqual(["-b", "a", "c"]);
    expect(client.list()).toEqual(await world.history(viewer));

    await change(viewer, "DELETE", "/watchhistory");
    expect(told(await client.poll(100)).sort()).toEqual(["-a", "-c"]);
    expect(client.list()).toEqual([]);
    // What was never there is no change.
    await world.watched(viewer, beat("a", 1_000));
    await change(viewer, "DELETE", "/watchhistory");
    const { changes, cursor } = await client.poll(100);
    const seq = await world.redis.hget(`wh:state:{${viewer}}`, "seq");
    expect([changes, cursor.split(".").at(-1)]).toEqual([[], seq]);
  });

  test("tells what the catalogue says anew, and dismissals", async () => {
    const viewer = someone();
    await world.watched(viewer, { content_id: "talk", playback_time: 400 });
    const client = followerOf(world, viewer);
    await client.poll(100);
    await catalogue(world, "talk", { duration: 1_000 });
    await until(async () => (await client.poll(100)).changes.length > 0);
    expect(client.list()).toMatchObject([
      { content_id: "talk", duration: 1_000, resume_position_seconds: 400 },
    ]);
    expect(client.list()).toEqual(await world.history(viewer));
    await change(viewer, "POST", "/continue-watching/talk/dismissed");
    expect(told(await client.poll(100))).toEqual(["talk"]);
  });

  test("is paged exactly; what changes meanwhile comes again later", async () => {
    const viewer = someone();
    await world.watched(viewer, ...Array.from({ length: 7 }, (_, n) => beat(`c${n}`, 90 - n)));
    const client = followerOf(world, viewer);
    const pages = [await client.poll(3)];
    const again = told(pages[0] as Changes)[0] ?? "";
    await world.watched(viewer, beat(again, 1, 450));
    pages.push(...(await client.catchUp(3)));
    expect(pages.map(({ changes, has_more }) => [changes.length, has_more])).toEqual([
      ...[
        [3, true],
        [3, true],
        [2, false],
      ],
    ]);
    expect(told(pages[2] as Changes).at(-1)).toBe(again);
    expect(client.list()).toEqual(await world.history(viewer));
    // No more than there are: as many as asked for is not "more".
    expect(await followerOf(world, viewer).poll(7)).toMatchObject({ has_more: false });
  });

  test("is one script at the edge, and asks nothing of ingest", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 90));
    const path = `/users/${viewer}/changes`;
    await world.ask(path, { as: viewer }); // warms
    await world.redis.config("RESETSTAT");
    const answer = await world.ask(path, { as: viewer });
    expect(answer.headers.get("server-timing")).toMatch(/redis;dur=(?!.*ingest)/);
    expect((await commandCounts(world.redis)).get("evalsha_ro")).toBe(1);
  });

  test("after an eviction, or when all views are lost, it says reset and starts again", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 90), beat("b", 80));
    const client = followerOf(world, viewer);
    await client.poll(100);
    for (const lose of [() => evict(world.redis, viewer as UserId), () => world.redis.flushall()]) {
      await lose();
      await world.ask(`/users/${viewer}/watchhistory/b`, { as: viewer, method: "DELETE" });
      await world.watched(viewer, beat("b", -1));
      const answer = await client.poll(1);
      expect([answer.reset, answer.has_more]).toEqual([true, true]);
      await client.catchUp(1);
      expect(client.list()).toEqual(await world.history(viewer));
      expect((await client.poll(100)).reset).toBeUndefined();
    }
  });

  test("a cursor that is ahead of the view is of another one", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 90));
    const client = followerOf(world, viewer);
    const { cursor } = await client.poll(100);
    const [epoch] = cursor.split(".");
    const ahead = await world.ask(`/users/${viewer}/changes?since=${epoch}.999`, { as: viewer });
    expect(await ahead.json()).toMatchObject({ reset: true, changes: [{ content_id: "a" }], cursor });
  });

  test("a user of whom nothing is known has no changes, and a cursor to go on from", async () => {
    const viewer = someone();
    const client = followerOf(world, viewer);
    expect(await client.poll(100)).toEqual({ changes: [], cursor: expect.any(String), has_more: false });
    await world.watched(viewer, beat("a", 10));
    expect(told(await client.poll(100))).toEqual(["a"]);
  });

  test("is nobody else's, but support may read it; garbage is refused with its path", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 90));
    const { cursor } = await followerOf(world, viewer).poll(100);
    const path = (query: string) => `/users/${viewer}/changes${query}`;
    for (const at of [world.edgeUrl, world.ingestUrl]) {
      expect((await world.ask(path(""), { as: "mallory", at })).status).toBe(403);
      const support = await world.ask(path(""), { as: "sue", token: { roles: ["support"] }, at });
      expect([support.status, told((await support.json()) as Changes)]).toEqual([200, ["a"]]);
      const wrong: [query: string, path: string][] = [
        ["?since=nonsense", "since"],
        [`?since=${cursor}.5_`, "since"],
        [`?since=${cursor}&since=${cursor}`, "since"],
        ["?limit=0", "limit"],
        ["?limit=501", "limit"],
        ["?cursor=x", "cursor"],
      ];
      for (const [query, fault] of wrong) {
        const refused = await world.ask(path(query), { as: viewer, at });
        expect([query, refused.status]).toEqual([query, 422]);
        expect(await refused.json()).toMatchObject({ code: "invalid_input", errors: [{ path: fault }] });
      }
    }
  });
});

describe("a history longer than HISTORY_LIMIT", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ HISTORY_LIMIT: "3" });
  });
  afterAll(() => world.stop());

  /** Watched, and refilled with no more than the newest of them. */
  async function longHistory(viewer: string): Promise<void> {
    await world.watched(viewer, ...Array.from({ length: 8 }, (_, n) => beat(`c${n}`, 90 - n)));
    await evict(world.redis, viewer as UserId);
    await world.history(viewer);
  }

  test("is told from a list, page by page, and goes on with what changed since it was begun", async () => {
    const viewer = someone();
    await longHistory(viewer);
    const client = followerOf(world, viewer);
    expect(told(await client.poll(3))).toEqual(["c7", "c6", "c5"]);
    // Already told, to be told, and behind all of it.
    await world.watched(viewer, beat("c7", 1, 500), beat("c2", 0, 500), beat("older", 500));
    await world.ask(`/users/${viewer}/watchhistory/c6`, { as: viewer, method: "DELETE" });
    const rest = await client.catchUp(3);
    expect(rest.every(({ reset }) => !reset)).toBe(true);
    expect(client.list()).toEqual(await world.history(viewer));
    expect(client.list()).toHaveLength(8);
    expect(await client.poll(3)).toEqual({ changes: [], cursor: client.cursor(), has_more: false });

    // A single change behind the last page of the list is more, too.
    const another = followerOf(world, viewer);
    await another.poll(3);
    await world.watched(viewer, beat("c7", -1, 600));
    await another.catchUp(3);
    expect(another.list()).toEqual(await world.history(viewer));
  });

  test("what changes further back than Redis holds is told, too", async () => {
    const viewer = someone();
    await longHistory(viewer);
    const client = followerOf(world, viewer);
    await client.catchUp(100);
    const change = async (method: string, path: string) =>
      expect((await world.ask(`/users/${viewer}${path}`, { as: viewer, method })).status).toBe(204);

    await change("DELETE", "/watchhistory/c0");
    // A deletion is known wherever it was: nobody else need be asked.
    await world.redis.config("RESETSTAT");
    expect(told(await client.poll(100))).toEqual(["-c0"]);
    expect((await commandCounts(world.redis)).get("evalsha_ro")).toBe(1);
    await change("PUT", "/watchhistory/c1/watched");
    await change("DELETE", "/watchhistory/c1/watched");
    expect(told(await client.poll(100))).toContain("c1");
    await world.watched(viewer, beat("older", 500));
    expect(told(await client.poll(100))).toEqual(["older"]);
    await catalogue(world, "c2", { credits_at: 100 });
    await until(async () => (await client.poll(100)).changes.length > 0);
    expect(client.list().find((item) => item.content_id === "c2")).toMatchObject({ completed: true });
    expect(client.list()).toEqual(await world.history(viewer));
  });

  test("a clear is a reset, for nobody can tell what it took; then everything goes on", async () => {
    const viewer = someone();
    await longHistory(viewer);
    const client = followerOf(world, viewer);
    await client.catchUp(100);
    const before = new Date(Date.now() - 87_500).toISOString();
    const path = `/users/${viewer}/watchhistory?before=${encodeURIComponent(before)}`;
    expect((await world.ask(path, { as: viewer, method: "DELETE" })).status).toBe(204);
    const answer = await client.poll(2);
    expect(answer).toMatchObject({ reset: true, has_more: true });
    expect(answer.changes).toHaveLength(2);
    await client.catchUp(2);
    expect(client.list()).toEqual(await world.history(viewer));
    expect(client.list().map((item) => item.content_id)).toEqual(["c7", "c6", "c5", "c4", "c3"]);

    await world.ask(`/users/${viewer}/watchhistory`, { as: viewer, method: "DELETE" });
    expect(await client.poll(2)).toMatchObject({ reset: true });
    await client.catchUp(1);
    expect(client.list()).toEqual([]);
    await world.watched(viewer, { content_id: "new", playback_time: 60 });
    const { reset } = await client.poll(2);
    expect([reset, client.list().length]).toEqual([undefined, 1]);
  });

  test("an eviction in the middle of the list starts it again", async () => {
    const viewer = someone();
    await longHistory(viewer);
    const client = followerOf(world, viewer);
    await client.poll(3);
    await evict(world.redis, viewer as UserId);
    expect(await client.poll(3)).toMatchObject({ reset: true, has_more: true });
    await client.catchUp(3);
    expect(client.list()).toEqual(await world.history(viewer));
  });

  test("so does a clear of all of it", async () => {
    const viewer = someone();
    await longHistory(viewer);
    const client = followerOf(world, viewer);
    await client.poll(3);
    await world.ask(`/users/${viewer}/watchhistory`, { as: viewer, method: "DELETE" });
    expect((await client.poll(3)).reset).toBe(true);
    await world.watched(viewer, { content_id: "new", playback_time: 60 });
    const rest = await client.catchUp(3);
    expect(rest.every(({ reset }) => !reset)).toBe(true);
    expect(client.list().map((item) => item.content_id)).toEqual(["new"]);
  });
});

describe("the bad day", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    return () => world.stop();
  });

  test("Redis out of reach of the edge: ingest answers, with cursors that are as good", async () => {
    await world.watched("alice", beat("a", 90));
    const client = followerOf(world, "alice");
    await client.poll(100);
    await world.door.stop();
    await world.watched("alice", beat("b", 80));
    const answer = await client.poll(100);
    expect([answer.reset, told(answer)]).toEqual([undefined, ["b"]]);
    expect(client.list()).toEqual(await world.history("alice"));
  });

  test("Redis gone: nobody can say what changed, which is 503 and no empty answer; Redis back: the feed goes on", async () => {
    await world.watched("alice", beat("a", 90));
    const client = followerOf(world, "alice");
    await client.poll(100);
    await world.killRedis();
    const away = await world.ask("/users/alice/changes");
    expect([away.status, away.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await away.json()).toMatchObject({ code: "unavailable" });

    await world.restartRedis();
    await until(async () => (await world.ask("/users/alice/changes")).status === 200);
    await world.watched("alice", beat("b", 80));
    const answer = await client.poll(100);
    expect([answer.reset, told(answer)]).toEqual([undefined, ["b"]]);

    await world.killRedis();
    for (const service of world.services) await service.stop();
    expect((await world.ask("/users/alice/changes")).status).toBe(503);
  });
});
