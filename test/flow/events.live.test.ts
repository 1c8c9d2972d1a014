import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EVENT_DATA } from "../../db/contract/event-data.ts";
import { consumed, type MockKafka, type Passage, startMockKafka, startPassage } from "../support/kafka.ts";
import { newSecret, type Receiver, startReceiver } from "../support/receiver.ts";
import { published } from "../support/sessions.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** Domain events, from what a viewer does at the edge to whoever wants to know of it. */

const secret = newSecret();
let kafka: MockKafka;
let passage: Passage;
let receiver: Receiver;
let world: World;
beforeAll(async () => {
  [kafka, passage, receiver] = await Promise.all([startMockKafka(), startPassage(), startReceiver(secret)]);
  world = await createWorld({
    ...{ KAFKA_BROKERS: passage.broker, EVENTS_WEBHOOK_URL: receiver.url, EVENTS_WEBHOOK_SECRET: secret },
    ...{ RATE_LIMIT_PER_MINUTE: "0" },
  });
});
afterAll(async () => {
  await world.stop();
  passage.stop();
  await Promise.all([kafka.stop(), receiver.stop()]);
});

const beat = (content_id: string, playback_time: number, its = {}) => ({
  ...{ content_id, playback_time, duration: 3_600 },
  ...its,
});
const told = async (user: string) => (await published(world.redis)).filter(({ subject }) => subject === user);
/** By id, for what comes again is the same. */
const onceOf = async (user: string) => [...new Map((await told(user)).map((its) => [its.id, its])).values()];

test("history stays visible while Kafka is away, and Kafka has everything once it is there", async () => {
  await world.watched("kate", beat("film", 600));
  await world.watched("kate", beat("film", 700));
  expect((await world.history("kate")).map((item) => item.playback_time)).toEqual([700]);
  expect((await onceOf("kate")).length).toBe(2);

  passage.to(kafka);
  const theirs = async () =>
    (await consumed(kafka, "playback.history-updated")).filter(({ key }) => key === "kate");
  await until(async () => (await theirs()).length >= 2, { timeout: 20_000 });
  const times = (await theirs()).map(({ value }) => JSON.parse(value).data.playback_time);
  expect([...new Set(times)]).toEqual([600, 700]);
});

test("every row that is touched is told as a client sees it, under its version", async () => {
  await world.db.execute(
    sql`INSERT INTO contents (content_id, title, duration, credits_at) VALUES ('credited', 'Its title', 3600, 1000)`,
  );
  await world.watched("alice", beat("credited", 900, { catalog_id: "c" }), beat("other", 60));
  await world.watched("alice", beat("credited", 1_100));
  const [item] = await world.history("alice");
  const updates = (await onceOf("alice")).filter(({ data }) => data.content_id === "credited");
  expect(updates.map(({ data }) => data.rev)).toEqual([1, 2]);
  expect(updates.at(-1)).toMatchObject({
    ...{ type: "HistoryUpdated", subject: "alice", time: item?.last_watched_at },
    data: { user_id: "alice", ...item, resume_position_seconds: null },
  });
  for (const { data } of updates) EVENT_DATA.HistoryUpdated.parse(data);
});

test("what a viewer does at once is told by the turn that follows: marks, forgets, clears", async () => {
  await world.watched("bob", beat("a", 600), beat("b", 600), beat("c", 600));
  const ask = async (method: string, path: string) =>
    expect((await world.ask(`/users/bob${path}`, { as: "bob", method })).status).toBe(204);
  await ask("PUT", "/watchhistory/a/watched");
  await ask("DELETE", "/watchhistory/b");
  await world.drained();
  const of = async (content: string) =>
    (await onceOf("bob")).filter(({ data }) => data.content_id === content).at(-1)?.data;
  await until(async () => (await of("a"))?.completed);
  expect(await of("b")).toEqual({ user_id: "bob", content_id: "b", deleted: true, rev: 2 });

  await ask("DELETE", "/watchhistory");
  await until(async () => (await onceOf("bob")).some(({ data }) => "cleared_up_to" in data));
  await world.drained();
  const cleared = (await onceOf("bob")).filter(({ data }) => "cleared_up_to" in data);
  expect(cleared.length).toBe(1);
  expect(cleared[0]?.time).toBe(cleared[0]?.data.cleared_up_to);

  // Whoever cleared once is not told of it again with everything that follows.
  const clears = async () => (await told("bob")).filter(({ data }) => "cleared_up_to" in data).length;
  const before = await clears();
  await world.watched("bob", beat("a", 60));
  await until(async () => (await of("a"))?.playback_time === 60);
  expect(await clears()).toBe(before);
});

test("profiles, watchlists and ratings are told through the outbox, after their views show them", async () => {
  const headers = { "content-type": "application/json" };
  const put = (method: string, path: string, body: unknown) =>
    world.ask(`/profiles/carol${path}`, { as: "carol", method, headers, body: JSON.stringify(body) });
  expect((await put("PUT", "", { name: "Carol" })).ok).toBe(true);
  expect((await put("POST", "/watchlist", { content_id: "film" })).ok).toBe(true);
  expect((await put("POST", "/ratings", { content_id: "film", rating: 9 })).ok).toBe(true);
  await until(async () => (await told("carol")).length === 3);
  expect((await told("carol")).map(({ type }) => type)).toEqual([
    "ProfileUpdated",
    "WatchlistUpdated",
    "VideoRated",
  ]);
  await until(async () => (await world.db.execute(sql`SELECT FROM outbox`)).length === 0);
});

test("the webhook has had every event, signed; the counters say so", async () => {
  const ids = async () => new Set((await published(world.redis)).map(({ id }) => id));
  await until(async () => new Set(receiver.ids()).size === (await ids()).size);
  expect(new Set(receiver.ids())).toEqual(await ids());
  expect(receiver.posts.every(({ signed }) => signed)).toBe(true);

  const metrics = async () => await (await fetch(`${world.ingestUrl}/metrics`)).text();
  await until(async () => (await metrics()).includes('playhead_events_waiting{target="webhook"} 0\n'));
  const text = await metrics();
  const total = (await published(world.redis)).length;
  expect(text).toContain(`playhead_events_forwarded_total{target="webhook"} ${total}\n`);
  expect(text).toContain('playhead_events_dead_lettered_total{target="webhook"} 0\n');
  expect(text).toMatch(/playhead_events_published_total\{type="HistoryUpdated"\} [1-9]/);
  expect(text).toMatch(/playhead_events_published_total\{type="VideoRated"\} 1\n/);
  expect(text).toContain("playhead_outbox_waiting 0\n");
});

test("the edge publishes the schemas", async () => {
  const response = await fetch(`${world.edgeUrl}/events.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(((await response.json()) as { title: string }).title).toBe("Domain events of Playhead");
});

test("without Postgres the end of a session still reaches the bus and the webhook", async () => {
  const ingest = await world.startIngest({ DATABASE_URL: "" });
  const headers = { "content-type": "application/json" };
  const started = await world.ask("/api/v1/sessions", {
    ...{ as: "dave", at: ingest, method: "POST", headers },
    body: JSON.stringify({ user_id: "dave", content_id: "film", device_id: "tv", duration_seconds: 3_600 }),
  });
  const { id } = (await started.json()) as { id: string };
  const ended = await world.ask(`/api/v1/sessions/${id}`, { as: "dave", at: ingest, method: "DELETE" });
  expect(ended.status).toBe(204);
  expect((await told("dave")).map((event) => [event.type, event.id])).toEqual([["SessionEnded", id]]);
  await until(() => receiver.ids().includes(id));
  expect(await (await fetch(`${ingest}/metrics`)).text()).toContain(
    'playhead_events_published_total{type="SessionEnded"} 1\n',
  );
});
