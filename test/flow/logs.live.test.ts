import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../ingest/observe/log.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** What both sides log: enough to find a request again, and nothing that a client sent. */

const CLIENT = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const PRIVATE = /a-private|private@|eyJ|Bearer|secret that only/;
const JSON_TYPE = { "content-type": "application/json" };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Line = Record<string, unknown> & { level: number; msg: string };
const linesOf = (world: World) => world.logged.map((line) => JSON.parse(line) as Line);

/** Asks as somebody with a private name, with ids of its own; good, bad and hopeless bodies, and queries. */
async function story(world: World): Promise<number[]> {
  const as = "a-private-user";
  const body = (it: unknown) => (typeof it === "string" ? it : JSON.stringify(it));
  const write = (path: string, method: string, it: unknown) =>
    world.ask(path, { as, method, headers: JSON_TYPE, body: body(it) });
  const beats = `/users/${as}/playlists/watchhistory`;
  const ratings = `/profiles/${as}/ratings`;
  const answers = [
    await write(beats, "POST", { content_id: "a-private-film", playback_time: 1, duration: 9 }),
    await write(beats, "POST", { content_id: "a-private film with spaces", playback_time: 1 }),
    await write(beats, "POST", { content_id: "a-private-film", playback_time: "a-private-time" }),
    await write(beats, "POST", '{"content_id": a-private-film'),
    await write(ratings, "POST", { content_id: "a-private-film", rating: 4, review: "a-private-review" }),
    await write(ratings, "POST", { content_id: "a-private-film", rating: "a-private-rating" }),
    await world.ask(`/users/${as}/watchhistory?sport=a-private-sport`, { as }),
    await world.ask(`/users/${as}/watchhistory?nonsense=a-private-query`, { as }),
    await world.ask(`/users/${as}/watchhistory/a-private-film`, { as, method: "DELETE" }),
    await world.ask("/users/a-private-other/watchhistory", { as }),
    await world.ask("/a-private-path", { as }),
    await fetch(`${world.edgeUrl}/users/${as}/watchhistory`, {
      headers: { authorization: "Bearer a-private-token" },
    }),
    // The same of ingest, by somebody who found a way to it.
    await world.ask(beats, {
      as,
      at: world.ingestUrl,
      method: "POST",
      headers: JSON_TYPE,
      body: '{"a-private',
    }),
    await world.ask(`/users/${as}/watchhistory?cursor=a-private-cursor`, { as, at: world.ingestUrl }),
    await world.ask("/a-private-path", { as, at: world.ingestUrl }),
  ];
  return answers.map(({ status }) => status);
}

describe("nothing that a client sent is logged", () => {
  test.each(["debug", "info", "warn"])("at level %s, for good, bad and crashing requests", async (level) => {
    const world = await createWorld({ LOG_LEVEL: level });
    stops.push(() => world.stop());
    const good = await story(world);
    expect(good.filter((status) => status < 300).length).toBeGreaterThan(3);
    expect(good.filter((status) => status >= 400 && status < 500).length).toBeGreaterThan(7);
    expect(Math.max(...good)).toBeLessThan(500);
    await world.drained();

    // Our own fault: a table is missing, and a key is of another type than anybody expects.
    await world.db.execute("ALTER TABLE listitems RENAME COLUMN position_event_id TO lost");
    await world.db.execute("ALTER TABLE ratings RENAME COLUMN review TO lost");
    await world.redis.set("ps:session:{stream:watch-history}:a-private-session", "a-private-value");
    await world.ask("/api/v1/sessions/a-private-session", { as: "a-private-user", at: world.ingestUrl });
    const crashing = await story(world);
    expect(Math.max(...crashing)).toBeGreaterThanOrEqual(500);
    await until(() => world.logged.some((line) => line.includes("store: failed")));
    await world.db.execute("ALTER TABLE listitems RENAME COLUMN lost TO position_event_id");

    // Poison: Postgres says which value it cannot take.
    const poison = { v: 1, user_id: "a-private\u0000user", session_id: null, received_at: 1 };
    const event = { type: "clear", event_id: "e", occurred_at: Date.now() };
    const entry = JSON.stringify([{ ...poison, events: [event] }]);
    await world.redis.xadd("stream:watch-history", "*", "entry", entry, "events", "1");
    await until(() => world.logged.some((line) => line.includes("quarantined")));

    await world.killRedis();
    const away = await story(world);
    expect(away).toContain(503);
    expect(world.edgeLogged.length).toBeGreaterThan(0);
    await world.restartRedis();

    expect(world.logged.length).toBeGreaterThan(3);
    for (const line of [...world.logged, ...world.edgeLogged]) expect(line).not.toMatch(PRIVATE);
  });
});

describe("a line says what it belongs to", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ LOG_LEVEL: "debug" });
  });
  afterAll(async () => {
    await world.stop();
  });

  test("a request leaves one at debug, with its ids, its route and what became of it", async () => {
    const headers = {
      ...JSON_TYPE,
      "x-request-id": "r-1",
      traceparent: `00-${CLIENT.trace}-${CLIENT.span}-01`,
    };
    expect((await world.send("alice", { content_id: "m", playback_time: 1 }, { headers })).status).toBe(202);
    const answered = linesOf(world).filter(({ request_id }) => request_id === "r-1");
    expect(answered).toMatchObject([
      {
        ...{ msg: "answered", service: "ingest", trace_id: CLIENT.trace, status: 202, method: "POST" },
        ...{ route: "/users/:session_id/playlists/watchhistory", ms: expect.any(Number) },
      },
    ]);
  });

  test("who sent no ids gets some, and problem and log agree on them", async () => {
    const refusal = await world.ask("/nowhere", { at: world.ingestUrl });
    const { request_id } = (await refusal.json()) as { request_id: string };
    const [line, ...more] = linesOf(world).filter((its) => its.request_id === request_id);
    expect(line).toMatchObject({
      msg: "answered",
      status: 404,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(more).toEqual([]);
  });

  test("whatever is logged in the middle of a request has its ids, at the edge as well", async () => {
    await world.killRedis();
    const headers = { "x-request-id": "r-2" };
    expect((await world.ask("/users/bob/watchhistory", { as: "bob", headers })).status).toBe(200);
    await world.restartRedis();
    const its = linesOf(world).filter(({ request_id }) => request_id === "r-2");
    expect(its.map(({ msg }) => msg)).toContain("read: Redis cannot answer, Postgres does");
    const traces = new Set(its.map(({ trace_id }) => trace_id));
    const [, , atEdge] = JSON.parse(world.edgeLogged.find((line) => line.includes("r-2")) ?? "[]");
    expect(atEdge).toMatchObject({ request_id: "r-2" });
    expect(traces).toEqual(new Set([atEdge.trace_id]));
  });

  test("a turn has an id that is on all its lines", async () => {
    await world.watched("carol", { content_id: "m", playback_time: 1 });
    const drained = await until(() =>
      linesOf(world)
        .filter(({ msg }) => msg === "drained")
        .at(-1),
    );
    expect(drained.turn).toMatch(/^[0-9a-f-]{36}$/);
    expect(drained).not.toHaveProperty("request_id");
  });

  test("at info only what was slow or failed leaves a line", async () => {
    const quiet = await createWorld({ LOG_LEVEL: "info" });
    stops.push(() => quiet.stop());
    await quiet.watched("alice", { content_id: "m", playback_time: 1 });
    await quiet.ask("/nowhere", { at: quiet.ingestUrl });
    const before = quiet.logged.filter((line) => line.includes("answered"));
    for (const line of before) expect(JSON.parse(line).ms).toBeGreaterThan(50);
    await quiet.redis.set("{stream:watch-history}:backlog", "1000000");
    expect((await quiet.send("alice", { content_id: "m", playback_time: 1 })).status).toBe(503);
    const failed = quiet.logged.filter((line) => line.includes('"status":503'));
    expect(failed.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, msg: "answered" }]);
  });
});

test("when everything fails, not every line is written", async () => {
  const world = await createWorld({ LOG_LEVEL: "info" });
  stops.push(() => world.stop());
  await world.redis.set("{stream:watch-history}:backlog", "1000000");
  const began = performance.now();
  for (let n = 0; n < 20; n++) {
    const refused = Array.from({ length: 20 }, () =>
      world.send("alice", { content_id: "m", playback_time: 1 }, { at: world.ingestUrl }),
    );
    for (const { status } of await Promise.all(refused)) expect(status).toBe(503);
  }
  const seconds = Math.ceil((performance.now() - began) / 1_000) + 1;
  const lines = world.logged.filter((line) => line.includes('"status":503'));
  expect(lines.length).toBeGreaterThanOrEqual(50);
  expect(lines.length).toBeLessThanOrEqual(Math.min(399, 50 * seconds));
});

describe("the second belt", () => {
  test("what somebody logs that should not be is emptied at its known places", async () => {
    const lines: string[] = [];
    const log = createLog("debug", { write: (line) => void lines.push(line) });
    const token = await tokenFor("a secret that only tests know", "a-private-user");
    log.info({ authorization: `Bearer ${token}`, body: { content_id: "a-private-film" } }, "said");
    log.info({ request: { headers: { authorization: token }, query: { sport: "a-private-sport" } } }, "said");
    log.error({ reason: 'invalid input syntax for type json: "a-private-text' }, "quarantined");
    log.error(
      { error: new SyntaxError(`Unexpected token 'a', "a-private text" is not valid JSON`) },
      "failed",
    );
    const cause = Object.assign(new Error('date/time field value out of range: "a-private-time"'), {
      code: "22008",
    });
    log.error({ error: new Error("Failed query: select $1\nparams: a-private-film", { cause }) }, "failed");
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).not.toMatch(PRIVATE);
    const missing = Object.assign(new Error('relation "listitems" does not exist'), { code: "42P01" });
    log.error({ error: missing }, "failed");
    expect(lines.at(-1)).toContain("listitems");
  });
});
