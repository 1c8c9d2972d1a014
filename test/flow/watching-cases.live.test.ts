import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StartedSession } from "../../db/contract/sessions.ts";
import type { HistoryItem } from "../../db/contract/views.ts";
import { sessionKey } from "../../db/redis/keys.ts";
import { published as allPublished, type PublishedEvent } from "../support/sessions.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** More of the cases that other systems get wrong: what one watching of a title comes to, through the edge. */

let world: World;
beforeAll(async () => {
  world = await createWorld({ SESSION_TIMEOUT: "2" });
});
afterAll(async () => {
  await world.stop();
});

const now = Date.now();
let viewers = 0;
const someone = () => `watcher-${++viewers}`;

function beat(content_id: string, playback_time: number, secondsAgo: number, more: object = {}) {
  return { content_id, playback_time, duration: 3_600, occurred_at: now - secondsAgo * 1_000, ...more };
}

async function only(as: string): Promise<HistoryItem> {
  const [item, ...others] = await world.history(as);
  expect(others).toEqual([]);
  return item as HistoryItem;
}

async function call(as: string, method: string, path: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return await world.ask(path, { as, method, headers, body: JSON.stringify(body) });
}

async function start(as: string, content_id: string, duration_seconds: number): Promise<StartedSession> {
  const response = await call(as, "POST", "/api/v1/sessions", {
    ...{ user_id: as, content_id, device_id: "tv", duration_seconds },
  });
  expect(response.status).toBe(201);
  return (await response.json()) as StartedSession;
}

async function published(type: string, subject: string): Promise<PublishedEvent[]> {
  const events = await allPublished(world.redis);
  return events.filter((event) => event.type === type && event.subject === subject);
}

async function play(as: string, ...beats: object[]): Promise<void> {
  for (const one of beats) await world.watched(as, one as Record<string, unknown>);
}

describe("case 7: a client dies without a stop", () => {
  test("its session ends by itself, where it last said it was and not a second further", async () => {
    const viewer = someone();
    const { id } = await start(viewer, "film", 3_600);
    const report = await call(viewer, "PATCH", `/api/v1/sessions/${id}/position`, { position_seconds: 600 });
    expect(report.status).toBe(200);
    const { updated_at } = (await report.json()) as { updated_at: string };
    await until(async () => (await published("SessionEnded", viewer)).length > 0, { what: "the end" });
    const [ended, ...more] = await published("SessionEnded", viewer);
    expect(more).toEqual([]);
    expect(ended).toMatchObject({ id, data: { position_seconds: 600, ended_by: "timeout", updated_at } });
    await world.drained();
    expect(await only(viewer)).toMatchObject({ playback_time: 600, last_watched_at: updated_at });
    expect((await world.ask(`/api/v1/sessions/${id}`, { as: viewer })).status).toBe(404);
  });
});

describe("a session whose player reports by events", () => {
  async function events(as: string, id: string, body: object): Promise<void> {
    expect((await call(as, "POST", `/users/${id}/playlists/watchhistory`, body)).status).toBe(202);
  }
  const sessionOf = async (as: string, id: string) =>
    (await (await world.ask(`/api/v1/sessions/${id}`, { as })).json()) as StartedSession;

  test("is where the newest of them says, and ends there", async () => {
    const viewer = someone();
    const { id } = await start(viewer, "film", 3_600);
    await events(viewer, id, { content_id: "film", playback_time: 100 });
    expect(await sessionOf(viewer, id)).toMatchObject({ position_seconds: 100 });
    const at = Date.now();
    await events(viewer, id, {
      events: [
        { content_id: "film", playback_time: 300, occurred_at: at },
        { content_id: "film", playback_time: 200, occurred_at: at - 5 },
      ],
    });
    expect(await sessionOf(viewer, id)).toMatchObject({ position_seconds: 300 });
    await until(async () => (await published("SessionEnded", viewer)).length > 0, { what: "the end" });
    const [ended] = await published("SessionEnded", viewer);
    expect(ended?.data).toMatchObject({ position_seconds: 300, updated_at: new Date(at).toISOString() });
  });

  test("is not moved by what is of another content or another user, or older than it is", async () => {
    const [viewer, other] = [someone(), someone()];
    const { id } = await start(viewer, "film", 3_600);
    await events(viewer, id, { content_id: "another", playback_time: 100 });
    await events(other, id, { content_id: "film", playback_time: 200 });
    await events(viewer, id, { content_id: "film", playback_time: 300, occurred_at: now - 600_000 });
    expect(await sessionOf(viewer, id)).toMatchObject({ position_seconds: 0 });
  });

  test("loses no event when its own state cannot be written", async () => {
    const viewer = someone();
    await world.redis.set(sessionKey("broken"), "no hash");
    await events(viewer, "broken", { content_id: "film", playback_time: 100 });
    await world.drained();
    expect(await only(viewer)).toMatchObject({ playback_time: 100 });
  });

  test("shows where it ended in the very next read, and the next session starts there", async () => {
    const viewer = someone();
    const { id } = await start(viewer, "film", 3_600);
    await call(viewer, "PATCH", `/api/v1/sessions/${id}/position`, { position_seconds: 444 });
    const path = `/api/v1/sessions/${id}`;
    expect((await world.ask(path, { as: viewer, method: "DELETE" })).status).toBe(204);
    expect(await only(viewer)).toMatchObject({ playback_time: 444 });
    expect((await start(viewer, "film", 3_600)).resume_position_seconds).toBe(444);
  });
});

describe("case 10: heartbeats after completion", () => {
  test("one completion, one event, no resume position", async () => {
    const viewer = someone();
    const its = { play_id: "p" };
    await play(viewer, beat("m", 600, 90, its), beat("m", 3_564, 80, its), beat("m", 3_600, 70, its));
    await play(viewer, beat("m", 3_600, 60, { ...its, action: "stop" }));
    expect(await only(viewer)).toMatchObject({ completed: true, resume_position_seconds: null });
    const [completion, ...more] = await published("ContentCompleted", viewer);
    expect(more).toEqual([]);
    expect(completion?.data).toMatchObject({
      ...{ content_id: "m", play_id: "p", completed_at: new Date(now - 80_000).toISOString() },
    });
  });
});

describe("case 11: a rewatch after completion", () => {
  test("is a new play, resumes by itself, and the first completion is kept", async () => {
    const viewer = someone();
    await play(viewer, beat("m", 3_590, 90, { play_id: "first" }));
    await play(viewer, beat("m", 300, 60, { play_id: "second" }));
    expect(await only(viewer)).toMatchObject({ completed: true, resume_position_seconds: 300 });
    const rows = await world.db.execute(sql`
      SELECT play_id, completed_at FROM plays WHERE user_id = ${viewer} ORDER BY play_id`);
    expect([...rows]).toEqual([
      { play_id: "first", completed_at: now - 90_000 },
      { play_id: "second", completed_at: null },
    ]);
    await play(
      viewer,
      beat("m", 3_595, 30, { play_id: "second" }),
      beat("m", 3_599, 20, { play_id: "first" }),
    );
    const completions = await published("ContentCompleted", viewer);
    expect(new Set(completions.map(({ id }) => id)).size).toBe(2);
    expect(completions).toHaveLength(2);
    const [first] = await world.db.execute(sql`
      SELECT completed_at FROM plays WHERE user_id = ${viewer} AND play_id = 'first'`);
    expect(first?.completed_at).toBe(now - 90_000);
  });

  test("a session after the end starts from the beginning; one in the middle of the rewatch does not", async () => {
    const viewer = someone();
    await play(viewer, beat("m", 3_590, 90));
    expect((await start(viewer, "m", 3_600)).resume_position_seconds).toBeNull();
    await play(viewer, beat("m", 300, 60));
    expect((await start(viewer, "m", 3_600)).resume_position_seconds).toBe(300);
  });
});

describe("case 12: very short content", () => {
  test.each([
    [29.999, null, false],
    [30, 30, false],
    [38, 38, false],
    [38.001, null, true],
    [40, null, true],
  ])("at %d s of 40 it resumes at %s", async (playback_time, resumes, completed) => {
    const viewer = someone();
    await play(viewer, beat("clip", playback_time, 60, { duration: 40 }));
    expect(await only(viewer)).toMatchObject({ resume_position_seconds: resumes, completed });
    expect((await start(viewer, "clip", 40)).resume_position_seconds).toBe(resumes);
  });
});

describe("case 14: live", () => {
  test("nothing resumes at an edge that is past, nor is it ever over", async () => {
    const viewer = someone();
    const put = await world.ask("/contents/channel", {
      ...{
        as: "cms",
        method: "PUT",
        headers: { "content-type": "application/json" },
        token: { roles: ["service"] },
      },
      body: JSON.stringify({ kind: "live", title: "News" }),
    });
    expect(put.status).toBe(201);
    await play(viewer, beat("channel", 7_200, 60, { duration: null }), beat("film", 600, 90));
    expect((await world.history(viewer))[0]).toMatchObject({
      ...{ content_id: "channel", resume_position_seconds: null, completed: false },
    });
    expect((await start(viewer, "channel", 0)).resume_position_seconds).toBeNull();
    const row = await world.ask(`/users/${viewer}/continue-watching`, { as: viewer });
    expect(((await row.json()) as HistoryItem[]).map(({ content_id }) => content_id)).toEqual(["film"]);
  });
});
