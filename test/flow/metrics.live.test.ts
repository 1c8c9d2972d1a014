import { afterAll, beforeAll, expect, test } from "vitest";
import { deadStream } from "../../db/redis/keys.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** What ingest counts, as Prometheus reads it. */

let world: World;
beforeAll(async () => {
  world = await createWorld({ BACKLOG_LIMIT: "1000" });
});
afterAll(async () => {
  await world.stop();
});

/** The samples of /metrics, by name and labels as they stand there. */
async function samples(): Promise<Map<string, number>> {
  const response = await fetch(`${world.ingestUrl}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

async function start(as: string, content_id: string): Promise<Response> {
  return await world.ask("/api/v1/sessions", {
    ...{ as, method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ user_id: as, content_id, device_id: "tv", duration_seconds: 3_600 }),
  });
}

test("sessions are counted by how they began, and where resumed ones did", async () => {
  await world.watched("alice", { content_id: "film", playback_time: 600, duration: 3_600 });
  for (const content of ["film", "film", "another"]) expect((await start("alice", content)).status).toBe(201);
  const seen = await samples();
  expect(seen.get('playhead_sessions_started_total{resume="resumed"}')).toBe(2);
  expect(seen.get('playhead_sessions_started_total{resume="from_the_start"}')).toBe(1);
  expect(seen.get("playhead_session_resume_position_seconds_sum")).toBe(1_200);
  expect(seen.get("playhead_session_resume_position_seconds_count")).toBe(2);
});

test("each step that makes an update durable and visible is timed", async () => {
  await world.watched("bob", { content_id: "film", playback_time: 600, duration: 3_600 });
  const seen = await samples();
  for (const step of ["append", "store", "project", "publish", "settle"]) {
    expect(seen.get(`playhead_history_step_seconds_count{step="${step}"}`)).toBeGreaterThan(0);
    expect(seen.get(`playhead_history_step_seconds_sum{step="${step}"}`)).toBeGreaterThan(0);
  }
});

test("updates that fail are counted by the step: refused or poisonous", async () => {
  const failed = async (step: string) =>
    (await samples()).get(`playhead_history_updates_failed_total{step="${step}"}`) ?? 0;
  const before = await failed("quarantine");
  await world.redis.xadd("stream:watch-history", "*", "entry", "no JSON", "events", "1");
  await until(async () => (await world.redis.xlen(deadStream)) === 1);
  await until(async () => (await failed("quarantine")) === before + 1);

  await world.redis.set("{stream:watch-history}:backlog", "1000");
  const beat = { content_id: "film", playback_time: 700, duration: 3_600 };
  expect((await world.send("bob", beat)).status).toBe(503);
  expect(await failed("append")).toBe(1);
  await world.redis.del("{stream:watch-history}:backlog");
});

test("events are counted by what became of them", async () => {
  const counted = async () => {
    const seen = await samples();
    const of = (name: string) => seen.get(`playhead_history_events_${name}_total`) ?? 0;
    return ["accepted", "drained", "folded", "stale", "duplicate"].map(of);
  };
  const before = await counted();
  const since = async () => (await counted()).map((now, at) => now - (before[at] ?? 0));
  const becomes = async (...expected: number[]) =>
    await until(
      async () => `${await since()}` === `${expected}` || Promise.reject(new Error(`${await since()}`)),
    );
  const at = Date.now() - 60_000;
  const beat = (ms: number, event_id: string) => ({
    ...{ content_id: "counted", playback_time: 700, duration: 3_600, occurred_at: at + ms, event_id },
  });
  await world.watched("carol", beat(10, "a"), beat(20, "b"), beat(30, "c"));
  await becomes(3, 3, 2, 0, 0);
  await world.watched("carol", beat(30, "c"));
  await becomes(4, 4, 2, 0, 1);
  await world.watched("carol", beat(20, "b"));
  await becomes(5, 5, 2, 1, 1);
  await world.watched("carol", beat(40, "d"));
  await becomes(6, 6, 2, 1, 1);
  // Told at once and once more by its turn, which is no duplicate of a client.
  expect(
    (await world.ask("/users/carol/watchhistory/counted", { as: "carol", method: "DELETE" })).status,
  ).toBe(204);
  await world.drained();
  await becomes(7, 7, 2, 1, 1);
  // What is forgotten stays so: a heartbeat from before changes nothing.
  await world.watched("carol", beat(50, "e"));
  await becomes(8, 8, 2, 2, 1);
});

test("requests are timed by kind and status, and cold reads counted by why ingest is asked", async () => {
  const of = async (name: string) => (await samples()).get(`playhead_${name}`) ?? 0;
  const names = [
    'request_seconds_count{kind="read",status="2xx"}',
    'request_seconds_count{kind="write",status="4xx"}',
  ];
  const more = ['cache_misses_total{cache="cold"}', "refills_total"];
  const before = await Promise.all([...names, ...more].map(of));
  expect((await world.ask("/users/dora/watchhistory", { as: "dora" })).status).toBe(200);
  expect((await world.ask("/users/dora/watchhistory", { as: "dora" })).status).toBe(200);
  const bad = {
    ...{ as: "dora", method: "POST", at: world.ingestUrl },
    headers: { "content-type": "text/plain" },
  };
  expect((await world.ask("/users/dora/playlists/watchhistory", bad)).status).toBe(415);
  const after = await Promise.all([...names, ...more].map(of));
  expect(after.map((now, at) => now - (before[at] ?? 0))).toEqual([1, 1, 1, 1]);
  expect(await of("requests_in_flight")).toBe(0);
});

test("the gauges say what waits, for how long, and what is in hand", async () => {
  const own = await createWorld();
  try {
    await Promise.all(own.services.map((service) => service.stop()));
    const at = await own.startIngest({
      DATABASE_URL: "postgres://postgres@127.0.0.1:1/away",
      BACKLOG_LIMIT: "500",
    });
    const of = async (name: string) => {
      const [, value] =
        new RegExp(`^playhead_${name} (.*)$`, "m").exec(await (await fetch(`${at}/metrics`)).text()) ?? [];
      return Number(value);
    };
    expect(await of("backlog_age_seconds")).toBe(0);
    const events = [1, 2, 3].map((n) => ({ content_id: `m${n}`, playback_time: n }));
    expect((await own.send("alice", { events }, { at })).status).toBe(202);
    await until(async () => (await of("pending_entries")) === 1);
    expect([
      await of("backlog_events"),
      await of("backlog_entries"),
      await of("backlog_limit_events"),
    ]).toEqual([3, 1, 500]);
    const first = await of("backlog_age_seconds");
    await until(async () => (await of("backlog_age_seconds")) > first);
  } finally {
    await own.stop();
  }
});

test("a scrape never fails or waits for Redis: the gauges are absent then, and say so when it is back", async () => {
  expect((await samples()).get("playhead_backlog_events")).toBe(0);
  world.pauseRedis();
  try {
    const began = performance.now();
    const hanging = await samples();
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(hanging.get('playhead_scrape_failed{of="stream"}')).toBe(1);
    expect(hanging.has("playhead_backlog_events")).toBe(false);
    expect(hanging.get("playhead_turn_seconds_count")).toBeGreaterThan(0);
  } finally {
    world.resumeRedis();
  }
  await world.killRedis();
  expect((await samples()).get('playhead_scrape_failed{of="stream"}')).toBe(1);
  await world.restartRedis();
  await until(async () => (await samples()).get("playhead_backlog_events") === 0);
  expect((await samples()).get('playhead_scrape_failed{of="stream"}')).toBe(0);
});
