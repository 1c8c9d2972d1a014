import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventResult } from "../../db/contract/events.ts";
import type { HistoryItem } from "../../db/contract/views.ts";
import { eventStream } from "../../db/redis/keys.ts";
import { published } from "../support/sessions.ts";
import { createWorld, type World } from "../support/world.ts";

/** Marks, dismissals, pauses, plays and what is counted of them, through the edge, on real stores. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await world.stop();
});

const now = Date.now();
let viewers = 0;
/** A viewer whom no other test knows. */
const someone = () => `viewer-${++viewers}`;
const ago = (seconds: number) => now - seconds * 1_000;

function beat(content_id: string, playback_time: number, secondsAgo: number, more: object = {}) {
  return { content_id, playback_time, duration: 3_600, occurred_at: ago(secondsAgo), ...more };
}

/** Does it, and the next read shows it. */
async function act(as: string, method: string, path: string, body?: object): Promise<Response> {
  const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await world.ask(`/users/${as}${path}`, { as, method, ...(body ? json : {}) });
  if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

async function item(as: string, content: string): Promise<HistoryItem | null> {
  const response = await world.ask(`/users/${as}/watchhistory/${content}`, { as });
  return response.status === 404 ? null : ((await response.json()) as HistoryItem);
}

async function toContinue(as: string): Promise<string[]> {
  const response = await world.ask(`/users/${as}/continue-watching`, { as });
  expect(response.status).toBe(200);
  return ((await response.json()) as HistoryItem[]).map(({ content_id }) => content_id);
}

describe("marks", () => {
  test("as watched: completed, from the beginning, and listed when it was marked", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 60), beat("b", 600, 50));
    expect((await act(viewer, "PUT", "/watchhistory/a/watched")).status).toBe(204);
    expect(await item(viewer, "a")).toMatchObject({
      ...{ completed: true, resume_position_seconds: null, playback_time: 600 },
    });
    expect((await world.history(viewer)).map(({ content_id }) => content_id)).toEqual(["a", "b"]);
  });

  test("of what was never watched: it is in the history, and gone again when it is unmarked", async () => {
    const viewer = someone();
    await act(viewer, "PUT", `/watchhistory/a/watched?occurred_at=${ago(30)}`);
    expect(await item(viewer, "a")).toMatchObject({
      ...{ completed: true, playback_time: 0, last_watched_at: new Date(ago(30)).toISOString() },
    });
    await act(viewer, "DELETE", `/watchhistory/a/watched?occurred_at=${ago(40)}`);
    expect(await item(viewer, "a")).not.toBeNull();
    await act(viewer, "DELETE", `/watchhistory/a/watched?occurred_at=${ago(20)}`);
    expect(await item(viewer, "a")).toBeNull();
    expect(await world.history(viewer)).toEqual([]);
  });

  test("as not watched: what came before counts no more, what comes after does", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 3_600, 60));
    await act(viewer, "DELETE", `/watchhistory/a/watched?occurred_at=${ago(50)}`);
    expect(await item(viewer, "a")).toMatchObject({ completed: false, resume_position_seconds: null });
    await world.watched(viewer, beat("a", 700, 55));
    expect(await item(viewer, "a")).toMatchObject({ completed: false, resume_position_seconds: null });
    await world.watched(viewer, beat("a", 800, 40));
    expect(await item(viewer, "a")).toMatchObject({ completed: false, resume_position_seconds: 800 });
    await world.watched(viewer, beat("a", 3_550, 30));
    expect(await item(viewer, "a")).toMatchObject({ completed: true, resume_position_seconds: null });
  });

  test("a newer heartbeat goes on, and the mark is not forgotten; of one instant the mark counts", async () => {
    const viewer = someone();
    await act(viewer, "PUT", `/watchhistory/a/watched?occurred_at=${ago(50)}`);
    await world.watched(viewer, beat("a", 600, 50));
    expect(await item(viewer, "a")).toMatchObject({ completed: true, resume_position_seconds: null });
    await world.watched(viewer, beat("a", 700, 49));
    expect(await item(viewer, "a")).toMatchObject({ completed: true, resume_position_seconds: 700 });
  });

  test("many at once, each judged alone, from a device whose clock is wrong", async () => {
    const viewer = someone();
    const response = await act(viewer, "POST", "/watchhistory/watched", {
      sent_at: now - 86_400_000,
      marks: [
        { content_id: "a", occurred_at: now - 86_400_000 - 60_000 },
        { content_id: "b", watched: "no" },
        { content_id: "c" },
      ],
    });
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as { results: EventResult[] };
    expect(results.map(({ status, errors }) => [status, errors?.[0]?.path])).toEqual([
      ["accepted", undefined],
      ["rejected", "marks.1.watched"],
      ["accepted", undefined],
    ]);
    const [first, second, ...others] = await world.history(viewer);
    expect([first?.content_id, second?.content_id, others]).toEqual(["c", "a", []]);
    expect(Math.abs(Date.parse(second?.last_watched_at ?? "") - (Date.now() - 60_000))).toBeLessThan(20_000);
  });

  test("are forgotten with their item, and do not come back late", async () => {
    const viewer = someone();
    await act(viewer, "PUT", "/watchhistory/a/watched");
    await act(viewer, "DELETE", "/watchhistory/a");
    expect(await item(viewer, "a")).toBeNull();
    await act(viewer, "PUT", `/watchhistory/a/watched?occurred_at=${ago(20)}`);
    expect(await item(viewer, "a")).toBeNull();
  });

  test("survive the loss of all views", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("b", 600, 50), beat("c", 600, 40), beat("d", 600, 30));
    await act(viewer, "PUT", "/watchhistory/a/watched");
    await act(viewer, "DELETE", "/watchhistory/b/watched");
    await act(viewer, "POST", "/continue-watching/c/dismissed");
    const before = [await world.history(viewer), await toContinue(viewer)];
    expect(before[1]).toEqual(["d"]);
    await world.redis.flushall();
    expect([await world.history(viewer), await toContinue(viewer)]).toEqual(before);
  });
});

describe("dismissals", () => {
  test("hide an item until newer activity, and leave the history alone", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 60), beat("b", 600, 50));
    expect((await act(viewer, "POST", `/continue-watching/b/dismissed?occurred_at=${ago(40)}`)).status).toBe(
      204,
    );
    expect(await toContinue(viewer)).toEqual(["a"]);
    expect((await world.history(viewer)).map(({ content_id }) => content_id)).toEqual(["b", "a"]);
    await world.watched(viewer, beat("b", 601, 45));
    expect(await toContinue(viewer)).toEqual(["a"]);
    await world.watched(viewer, beat("b", 602, 30));
    expect(await toContinue(viewer)).toEqual(["b", "a"]);
  });

  test("can be taken back", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 60));
    await act(viewer, "POST", `/continue-watching/a/dismissed?occurred_at=${ago(40)}`);
    await act(viewer, "DELETE", `/continue-watching/a/dismissed?occurred_at=${ago(41)}`);
    expect(await toContinue(viewer)).toEqual([]);
    await act(viewer, "DELETE", "/continue-watching/a/dismissed");
    expect(await toContinue(viewer)).toEqual(["a"]);
  });

  test("of what was never watched leave no trace in the history", async () => {
    const viewer = someone();
    await act(viewer, "POST", "/continue-watching/a/dismissed");
    expect([await world.history(viewer), await item(viewer, "a")]).toEqual([[], null]);
  });
});

describe("case 22: a paused history", () => {
  test("keeps nothing from then on, whenever it arrives, and goes on afterwards", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 100));
    await act(viewer, "PUT", "/watchhistory/settings", { paused: true, occurred_at: ago(90) });
    expect(await (await act(viewer, "GET", "/watchhistory/settings")).json()).toEqual({
      ...{ paused: true, paused_since: new Date(ago(90)).toISOString() },
    });
    await world.watched(viewer, beat("a", 700, 80), beat("b", 600, 70));
    await act(viewer, "PUT", `/watchhistory/c/watched?occurred_at=${ago(60)}`);
    await act(viewer, "PUT", "/watchhistory/settings", { paused: false, occurred_at: ago(50) });
    await world.watched(viewer, beat("d", 600, 40));
    // A device that was offline tells of the pause only now.
    await world.watched(viewer, beat("e", 600, 85), beat("f", 600, 110), beat("a", 800, 51));
    const kept = await world.history(viewer);
    expect(kept.map(({ content_id, playback_time }) => [content_id, playback_time])).toEqual([
      ["d", 600],
      ["a", 600],
      ["f", 600],
    ]);
    expect(await (await act(viewer, "GET", "/watchhistory/settings")).json()).toEqual({
      ...{ paused: false, paused_since: null },
    });
    const rows = await world.db.execute(sql`SELECT content_id FROM listitems WHERE user_id = ${viewer}`);
    expect([...rows].map(({ content_id }) => content_id).sort()).toEqual(["a", "d", "f"]);
    const plays = await world.db.execute(sql`SELECT content_id FROM plays WHERE user_id = ${viewer}`);
    expect([...plays].map(({ content_id }) => content_id).sort()).toEqual(["a", "d", "f"]);
  });

  test("a pause that becomes known late takes away what was stored in it, from Redis too", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 100), beat("b", 600, 80));
    expect(await world.history(viewer)).toHaveLength(2);
    await act(viewer, "PUT", "/watchhistory/settings", { paused: true, occurred_at: ago(90) });
    expect((await world.history(viewer)).map(({ content_id }) => content_id)).toEqual(["a"]);
    expect(await item(viewer, "b")).toBeNull();
  });

  test("still forgets", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 600, 100), beat("b", 600, 90));
    await act(viewer, "PUT", "/watchhistory/settings", { paused: true, occurred_at: ago(80) });
    await act(viewer, "DELETE", "/watchhistory/a");
    expect((await world.history(viewer)).map(({ content_id }) => content_id)).toEqual(["b"]);
  });
});

describe("what is done to a history", () => {
  const ways: [method: string, path: string, body?: object][] = [
    ["PUT", "/watchhistory/a/watched"],
    ["DELETE", "/watchhistory/a/watched"],
    ["POST", "/continue-watching/a/dismissed"],
    ["DELETE", "/continue-watching/a/dismissed"],
    ["PUT", "/watchhistory/settings", { paused: false }],
    ["POST", "/watchhistory/watched", { marks: [{ content_id: "a" }] }],
    ["DELETE", "/watchhistory/a"],
  ];

  test.each(ways)("%s %s is its owner's, and a service's", async (method, path, body) => {
    const owner = someone();
    const ask = async (as: string, roles: string[]) => {
      const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const asking = { as, method, token: { roles }, ...(body ? json : {}) };
      const [edge, ingest] = [{}, { at: world.ingestUrl }];
      return await Promise.all(
        [edge, ingest].map(
          async (at) => (await world.ask(`/users/${owner}${path}`, { ...asking, ...at })).status,
        ),
      );
    };
    expect(await ask("somebody-else", ["user"])).toEqual([403, 403]);
    expect(await ask("somebody-else", ["support"])).toEqual([403, 403]);
    expect((await ask("a-service", ["service"])).every((status) => status < 300)).toBe(true);
  });

  test.each([
    ["PUT", "/watchhistory/a/watched?ocurred_at=1", undefined, "ocurred_at"],
    ["PUT", "/watchhistory/a/watched?occurred_at=never", undefined, "occurred_at"],
    ["PUT", "/watchhistory/a/watched?occurred_at=1000", undefined, "occurred_at"],
    ["POST", "/continue-watching/a%20b/dismissed", undefined, "content_id"],
    ["POST", "/watchhistory/watched", { marks: [] }, "marks"],
    ["POST", "/watchhistory/watched", { marks: [{ content_id: "{}" }] }, "marks.0.content_id"],
    ["PUT", "/watchhistory/settings", { paused: "yes" }, "paused"],
  ])("%s %s is refused with the path of the fault, by both sides", async (method, path, body, fault) => {
    await world.drained();
    const as = someone();
    const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    for (const at of [world.edgeUrl, world.ingestUrl]) {
      const response = await world.ask(`/users/${as}${path}`, { as, at, method, ...(body ? json : {}) });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ code: "invalid_input", errors: [{ path: fault }] });
    }
    expect(await world.redis.xlen(eventStream)).toBe(0);
  });

  test("a body that is not JSON, or of another type, is refused", async () => {
    const as = someone();
    const put = (type: string) =>
      world.ask(`/users/${as}/watchhistory/settings`, {
        ...{ as, method: "PUT", headers: { "content-type": type }, body: "{" },
      });
    expect([(await put("application/json")).status, (await put("text/plain")).status]).toEqual([400, 415]);
  });
});

describe("plays", () => {
  test("a play is completed once, on the bus, and analytics count it", async () => {
    const viewer = someone();
    const content = "the-film";
    const play = { play_id: "play-1" };
    await world.watched(viewer, beat(content, 600, 100, play), beat(content, 3_500, 90, play));
    await world.watched(viewer, beat(content, 3_550, 80, play), beat(content, 3_600, 70, play));
    await world.watched(viewer, beat(content, 900, 60, { play_id: "play-2" }));
    await world.watched(someone(), beat(content, 1_700, 60));

    const analytics = await world.ask(`/contents/${content}/analytics`, { token: { roles: ["service"] } });
    expect(analytics.status).toBe(200);
    const drop_off = Array.from({ length: 20 }, () => 0);
    Object.assign(drop_off, { 5: 1, 9: 1, 19: 1 });
    expect(await analytics.json()).toEqual({
      ...{ content_id: content, viewers: 2, plays: 3, completions: 1, completion_rate: 1 / 3, drop_off },
      mean_watched_share: (5.5 + 9.5 + 19.5) / 20 / 3,
    });
    const completed = (await published(world.redis)).filter(
      (event) => event.type === "ContentCompleted" && event.subject === viewer,
    );
    expect(new Set(completed.map(({ id }) => id)).size).toBe(1);
    expect(completed[0]).toMatchObject({
      time: new Date(ago(90)).toISOString(),
      data: { user_id: viewer, content_id: content, play_id: "play-1" },
    });
  });

  test("analytics are for services; of what nobody knows there are none", async () => {
    const path = "/contents/nobody-knows-this/analytics";
    const statuses = ["user", "support", "service", "admin"].map(
      async (role) => (await world.ask(path, { token: { roles: [role] } })).status,
    );
    expect(await Promise.all(statuses)).toEqual([403, 403, 404, 404]);
  });
});
