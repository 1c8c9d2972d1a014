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
