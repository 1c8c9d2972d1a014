import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Entry, type EventResult, Payload } from "../../db/contract/events.ts";
import { readStamp } from "../../db/contract/requests.ts";
import { backlogKey, eventStream } from "../../db/redis/keys.ts";
import { letEdgeIn } from "../support/door.ts";
import { createEdgeWorld, type EdgeWorld } from "../support/edge-world.ts";
import type { Asked } from "../support/fake-ingest.ts";
import { until } from "../support/until.ts";

const SESSION = "/users/session-1/playlists/watchhistory";
const ITEM = "/users/alice/watchhistory/c";
const UUID = /^[0-9a-f-]{36}$/;

let world: EdgeWorld;
beforeAll(async () => {
  world = await createEdgeWorld();
});
beforeEach(async () => {
  await world.redis.flushall();
  world.ingest.asked.length = 0;
  world.ingest.answer = () => ({ status: 202, body: '{"status":"ok"}' });
});
afterAll(() => world.stop());

function post(path: string, body: unknown, asking: Parameters<EdgeWorld["ask"]>[1] = {}) {
  const headers = { "content-type": "application/json", ...asking.headers };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return world.ask(path, { method: "POST", body: text, ...asking, headers });
}

/** What sits in the stream, each checked as ingest will. */
async function appended(): Promise<Entry[]> {
  const entries = await world.redis.xrange(eventStream, "-", "+");
  return entries.flatMap(([, fields]) =>
    Payload.parse(JSON.parse(fields[fields.indexOf("entry") + 1] ?? "")),
  );
}

/** The stamp that ingest would read from what it was asked. */
function stampOf({ headers }: Asked) {
  return readStamp((name) => headers[name] as string | undefined, { now: Date.now(), newId: () => "minted" });
}

async function whileIngestIsAway(work: () => Promise<void>): Promise<void> {
  await world.ingest.stop();
  try {
    await work();
  } finally {
    await world.ingest.start();
  }
}

describe("a write goes to ingest", () => {
  const awkward = '{ "content_id":"c",\n\t"playback_time": 1.50, "x":"\\u00e9é👩‍👩‍👧", "y":1e2 }';

  test("with the very same bytes, and with what the edge knows", async () => {
    world.ingest.answer = () => ({
      status: 202,
      headers: { "content-type": "application/json", "x-internal": "1" },
      body: '{"status":"ok","of":"ingest"}',
    });
    const before = Date.now();
    const answer = await post(`${SESSION}?a=b%20c`, awkward, { headers: { "x-request-id": "r-1" } });
    expect([answer.status, await answer.text()]).toEqual([202, '{"status":"ok","of":"ingest"}']);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-internal")).toBeNull();

    const [asked, ...more] = world.ingest.asked;
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ method: "POST", path: `${SESSION}?a=b%20c` });
    expect(asked?.body.toString()).toBe(awkward);
    expect(asked?.headers).toMatchObject({ "content-type": "application/json", "x-request-id": "r-1" });
    expect(asked?.headers.authorization).toMatch(/^Bearer /);
    expect(asked?.headers["playhead-arrival-id"]).toMatch(UUID);
    const at = Number(asked?.headers["playhead-received-at"]);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(await appended()).toEqual([]);
  });

  test("whose stamp no client can forge", async () => {
    const forged = {
      "playhead-received-at": "1",
      "Playhead-Arrival-Id": "mine",
      "x-forwarded-for": "1.2.3.4",
    };
    await post(SESSION, awkward, { headers: forged });
    await world.ask(ITEM, { method: "DELETE", headers: forged });
    for (const { headers } of world.ingest.asked) {
      expect(headers["playhead-arrival-id"]).toMatch(UUID);
      expect(Number(headers["playhead-received-at"])).toBeGreaterThan(1_700_000_000_000);
      expect(headers["x-forwarded-for"]).toBeUndefined();
    }
    expect(world.ingest.asked).toHaveLength(2);
  });

  test("deletes too, as they came and without a body", async () => {
    world.ingest.answer = () => ({ status: 204 });
    for (const path of [ITEM, "/users/alice/watchhistory?before=2026-01-01T00:00:00Z"]) {
      const answer = await world.ask(path, { method: "DELETE" });
      expect([answer.status, await answer.text()]).toEqual([204, ""]);
      expect(world.ingest.asked.at(-1)).toMatchObject({ method: "DELETE", path, body: Buffer.alloc(0) });
    }
    expect(await appended()).toEqual([]);
  });

  test.each([
    [400, "malformed_json"],
    [403, "forbidden"],
    [422, "invalid_input"],
    [429, "rate_limited"],
    [500, "internal"],
    [503, "backlog_full"],
  ])("whose refusal %i %s stays a refusal", async (status, code) => {
    const headers = { "content-type": "application/problem+json", "retry-after": "7" };
    world.ingest.answer = () => ({ status, headers, body: JSON.stringify({ status, code }) });
    for (const answer of [await post(SESSION, awkward), await world.ask(ITEM, { method: "DELETE" })]) {
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, "7"]);
      expect(await answer.json()).toEqual({ status, code });
    }
    expect(await appended()).toEqual([]);
  });
});

describe("without ingest the edge appends to the stream itself", () => {
  const event = { content_id: "c", playback_time: 90, duration: 100 };

  test("a single event", () =>
    whileIngestIsAway(async () => {
      const answer = await post(SESSION, event);
      expect(answer.status).toBe(202);
      expect(await answer.json()).toEqual({ status: "ok", message: "Watch history updated" });
      const [entry, ...more] = await appended();
      expect(more).toEqual([]);
      expect(entry).toMatchObject({ user_id: "alice", session_id: "session-1" });
      expect(entry?.events).toEqual([expect.objectContaining({ type: "heartbeat", playback_time: 90 })]);
      expect(entry?.events[0]?.event_id).toMatch(/^[0-9a-f-]{36}\.000$/);
      expect(await world.redis.get(backlogKey)).toBe("1");
    }));

  test("a batch, whose bad event does not sink the others", () =>
    whileIngestIsAway(async () => {
      const events = [{ ...event, event_id: "e-1" }, { content_id: "c", playback_time: -1 }, event];
      const answer = await post("/profiles/alice/history", { events });
      expect(answer.status).toBe(202);
      const { results } = (await answer.json()) as { results: EventResult[] };
      expect(results.map(({ status }) => status)).toEqual(["accepted", "rejected", "accepted"]);
      expect(results[1]?.errors?.[0]?.path).toBe("events.1.playback_time");
      const [entry] = await appended();
      expect(entry).toMatchObject({ user_id: "alice", session_id: null });
      expect(entry?.events.map(({ event_id }) => event_id)).toEqual(["e-1", results[2]?.event_id]);
      expect(await world.redis.get(backlogKey)).toBe("2");
    }));

  test("a forget and a clear, which never lie in the future", () =>
    whileIngestIsAway(async () => {
      const before = Date.UTC(2026, 0, 1);
      for (const path of [
        ITEM,
        "/users/alice/watchhistory",
        `/users/alice/watchhistory?before=${before}`,
        "/users/alice/watchhistory?before=2999-01-01T00:00:00Z",
      ]) {
        const answer = await world.ask(path, { method: "DELETE" });
        expect([answer.status, await answer.text()]).toEqual([202, ""]);
      }
      const entries = await appended();
      expect(entries.map(({ events: [first] }) => [first?.type, first?.occurred_at])).toEqual([
        ["forget", entries[0]?.received_at],
        ["clear", entries[1]?.received_at],
        ["clear", before],
        ["clear", entries[3]?.received_at],
      ]);
    }));

  test("for the user that a service names", () =>
    whileIngestIsAway(async () => {
      const token = { roles: ["service"] };
      await post("/users/bob/playlists/watchhistory", event, { as: "svc", token });
      await post("/profiles/bob/history", event, { as: "svc", token });
      expect((await appended()).map(({ user_id }) => user_id)).toEqual(["bob", "bob"]);
    }));

  test.each([
    ["{", 400, "malformed_json"],
    ["", 400, "malformed_json"],
    ["[]", 422, "invalid_input"],
    ['{"content_id":"c","playback_time":"1"}', 422, "invalid_input"],
    ['{"events":[]}', 422, "invalid_input"],
    ['{"events":[{"content_id":"c"}]}', 422, "invalid_input"],
    ['{"content_id":"c","playback_time":1,"occurred_at":"2001-01-01T00:00:00Z"}', 422, "invalid_input"],
  ])("and refuses %s as ingest would", (body, status, code) =>
    whileIngestIsAway(async () => {
      const answer = await post(SESSION, body);
      expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ code })]);
      expect(await appended()).toEqual([]);
    }),
  );

  test.each([502, 504])("when a proxy says %i", async (status) => {
    world.ingest.answer = () => ({ status, body: "<html>" });
    const answer = await post(SESSION, event);
    expect([answer.status, await answer.json()]).toEqual([202, expect.objectContaining({ status: "ok" })]);
    expect(await appended()).toHaveLength(1);
  });

  test("when its answer is lost on the way", async () => {
    world.ingest.answer = () => "hangs up";
    expect((await post(SESSION, event)).status).toBe(202);
    expect([world.ingest.asked.length, (await appended()).length]).toEqual([1, 1]);
  });

  test("when it does not answer in time; what it took after all is the same events", async () => {
    world.ingest.answer = () => "nothing";
    const settings = { ...world.deps.settings, deadlines: { readMs: 50, writeMs: 50, healthMs: 50 } };
    const answer = await post(SESSION, { events: [event, event] }, { replaced: { settings } });
    expect(answer.status).toBe(202);

    const [asked] = world.ingest.asked;
    const [entry] = await appended();
    const stamp = asked && stampOf(asked);
    expect(entry?.received_at).toBe(stamp?.received_at);
    expect(entry?.events.map(({ event_id }) => event_id)).toEqual([
      `${stamp?.arrival_id}.000`,
      `${stamp?.arrival_id}.001`,
    ]);
  });

  test("a batch of the largest size", () =>
    whileIngestIsAway(async () => {
      const id = "x".repeat(128);
      const events = Array.from({ length: 500 }, (_, n) => ({
        ...event,
        content_id: `${n}`.padStart(128, "c"),
        ...{ catalog_id: id, play_id: id, device_id: id, event_id: `${n}`.padStart(128, "e") },
        occurred_at: new Date().toISOString(),
      }));
      expect((await post(SESSION, { events })).status).toBe(202);
      expect((await appended())[0]?.events).toHaveLength(500);
      expect(await world.redis.get(backlogKey)).toBe("500");
    }));

  test("up to the backlog limit, in events", () =>
    whileIngestIsAway(async () => {
      const replaced = { settings: { ...world.deps.settings, backlogLimit: 3 } };
      expect((await post(SESSION, { events: [event, event] }, { replaced })).status).toBe(202);
      const refused = await post(SESSION, { events: [event, event] }, { replaced });
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await refused.json()).toMatchObject({ code: "backlog_full" });
      expect((await post(SESSION, event, { replaced })).status).toBe(202);
      expect((await world.ask(ITEM, { method: "DELETE", replaced })).status).toBe(503);
      expect(await appended()).toHaveLength(2);
    }));

  test("and says so when Redis is away, too", () =>
    whileIngestIsAway(async () => {
      await world.server.kill();
      for (const answer of [await post(SESSION, event), await world.ask(ITEM, { method: "DELETE" })]) {
        expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
        const text = await answer.text();
        expect(JSON.parse(text)).toMatchObject({ code: "unavailable" });
        expect(text + world.logged.join()).not.toMatch(/eyJ|evalsha|playback_time/i);
      }
      world.server = await world.server.restart();
      await letEdgeIn(world.server);
      await until(async () => (await post(SESSION, event)).status === 202);
      expect(await appended()).toHaveLength(1);
    }));
});
