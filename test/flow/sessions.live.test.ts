import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { StartedSession } from "../../db/contract/sessions.ts";
import { backlogKey, eventStream, historyKeys, sessionKey, sessionsDue } from "../../db/redis/keys.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { allowConnections, disconnect } from "../support/connections.ts";
import { DOOR_TOKEN, openDoor } from "../support/door.ts";
import { startTestRedis } from "../support/redis.ts";
import { appended, published, publishedEnds } from "../support/sessions.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** Playback sessions through the edge, on real stores, on good days and on bad ones. */

const json = { "content-type": "application/json" };
const HOUR = 3_600_000;
let viewers = 0;
/** A viewer whom no other test knows. */
const someone = () => `viewer-${++viewers}`;

type Asking = Parameters<World["ask"]>[1];

function sessionsIn(world: World) {
  const post = (as: string, more: object = {}, asking: Asking = {}) =>
    world.ask("/api/v1/sessions", {
      ...{ as, method: "POST", headers: json },
      body: JSON.stringify({
        ...{ user_id: as, content_id: "movie", device_id: "tv", duration_seconds: 3_600 },
        ...more,
      }),
      ...asking,
    });
  const get = (as: string, id: string, asking: Asking = {}) =>
    world.ask(`/api/v1/sessions/${id}`, { as, ...asking });
  const patch = (as: string, id: string, body: object, asking: Asking = {}) =>
    world.ask(`/api/v1/sessions/${id}/position`, {
      ...{ as, method: "PATCH", headers: json, body: JSON.stringify(body) },
      ...asking,
    });
  const end = (as: string, id: string, asking: Asking = {}) =>
    world.ask(`/api/v1/sessions/${id}`, { as, method: "DELETE", ...asking });

  /** A session that began. */
  async function started(as: string, more: object = {}): Promise<StartedSession> {
    const answer = await post(as, more);
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    return (await answer.json()) as StartedSession;
  }

  /** A position that was reported. */
  async function at(as: string, id: string, position_seconds: number, more: object = {}): Promise<void> {
    const answer = await patch(as, id, { position_seconds, ...more });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  }
  return { post, get, patch, end, started, at };
}

async function codeOf(answer: Response) {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

describe("on a good day", () => {
  let world: World;
  let its: ReturnType<typeof sessionsIn>;
  beforeAll(async () => {
    world = await createWorld();
    its = sessionsIn(world);
  });
  afterAll(() => world.stop());

  test("a session lives from where its user left off to where it ends", async () => {
    const viewer = someone();
    await world.watched(viewer, { content_id: "movie", playback_time: 600, duration: 3_600 });

    const answer = await its.post(viewer, { quality: "1080p" });
    expect(answer.status).toBe(201);
    const session = (await answer.json()) as StartedSession;
    const { id } = session;
    expect(answer.headers.get("location")).toBe(`/api/v1/sessions/${id}`);
    expect(session).toEqual({
      ...{ id: expect.any(String), user_id: viewer, content_id: "movie", device_id: "tv" },
      ...{ position_seconds: 600, duration_seconds: 3_600, playback_state: "playing", quality: "1080p" },
      ...{ started_at: expect.any(String), updated_at: session.started_at, resume_position_seconds: 600 },
    });
    expect(Math.abs(Date.parse(session.started_at) - Date.now())).toBeLessThan(5_000);
    const { resume_position_seconds: _, ...view } = session;
    const found = await world.ask(answer.headers.get("location") ?? "", { as: viewer });
    expect([found.status, await found.json()]).toEqual([200, view]);

    const patched = await its.patch(viewer, id, { position_seconds: 1_250.5, playback_state: "paused" });
    expect(patched.status).toBe(200);
    const after = (await patched.json()) as StartedSession;
    expect(after).toEqual({
      ...view,
      ...{ position_seconds: 1_250.5, playback_state: "paused", updated_at: after.updated_at },
    });
    expect(Date.parse(after.updated_at)).toBeGreaterThan(Date.parse(session.started_at) - 1);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([
      { content_id: "movie", playback_time: 1_250.5, resume_position_seconds: 1_250.5 },
    ]);

    await until(async () => (await world.redis.get(backlogKey)) === null, { what: "no backlog" });
    const ended = await its.end(viewer, id);
    expect([ended.status, await ended.text()]).toEqual([204, ""]);
    expect(await codeOf(await its.get(viewer, id))).toEqual([404, "not_found"]);
    expect(await codeOf(await its.patch(viewer, id, { position_seconds: 1 }))).toEqual([404, "not_found"]);
    expect(await published(world.redis, id)).toMatchObject([
      {
        ...{ specversion: "1.0", source: "playhead", type: "SessionEnded", subject: viewer },
        data: { ...after, ended_by: "client", completed: false },
      },
    ]);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([
      { playback_time: 1_250.5, last_watched_at: after.updated_at },
    ]);

    // A client that is not sure ends it again; its user is remembered for a day, and then it is unknown.
    expect((await its.end(viewer, id)).status).toBe(204);
    expect(await published(world.redis, id)).toHaveLength(1);
    expect(await codeOf(await its.end(someone(), id))).toEqual([404, "not_found"]);
    await world.redis.expire(sessionKey(id), 0);
    expect(await codeOf(await its.end(viewer, id))).toEqual([404, "not_found"]);
  });

  test("the final event alone brings the history up to date", async () => {
    const viewer = someone();
    const { id } = await its.started(viewer);
    await its.at(viewer, id, 900);
    await world.drained();
    await world.db.execute(sql`DELETE FROM listitems WHERE user_id = ${viewer}`);
    await world.redis.del(...historyKeys(viewer as UserId));
    expect((await its.end(viewer, id)).status).toBe(204);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([{ playback_time: 900 }]);
  });

  test.each([
    ["nothing was ever watched", [], {}],
    ["it was only looked into", [{ playback_time: 20, duration: 3_600 }], {}],
    ["it was watched to the end", [{ playback_time: 3_590, duration: 3_600 }], {}],
    ["nobody knows how long it is", [{ playback_time: 600 }], { duration_seconds: 0 }],
  ])("it begins at the start where %s", async (_, watched, more) => {
    const viewer = someone();
    for (const event of watched) await world.watched(viewer, { content_id: "movie", ...event });
    const session = await its.started(viewer, more);
    expect(session).toMatchObject({ position_seconds: 0, resume_position_seconds: null });
    expect(session.duration_seconds).toBe("duration_seconds" in more ? null : 3_600);
  });

  test("what is ended completes, and so does what is past the credits", async () => {
    for (const report of [{ position_seconds: 50, playback_state: "ended" }, { position_seconds: 3_500 }]) {
      const viewer = someone();
      const { id } = await its.started(viewer);
      expect((await its.patch(viewer, id, report)).status).toBe(200);
      await its.end(viewer, id);
      await world.drained();
      expect(await world.history(viewer)).toMatchObject([{ completed: true }]);
      expect(await published(world.redis, id)).toMatchObject([{ data: { completed: true } }]);
    }
  });

  test("a session without a report leaves nothing behind but SessionEnded", async () => {
    const viewer = someone();
    const { id } = await its.started(viewer);
    expect((await its.end(viewer, id)).status).toBe(204);
    expect(await published(world.redis, id)).toHaveLength(1);
    await world.drained();
    expect(await world.history(viewer)).toEqual([]);
  });

  test("a report that is overtaken changes neither the session nor the history", async () => {
    const viewer = someone();
    const { id, started_at } = await its.started(viewer);
    await its.at(viewer, id, 700);
    const stamp = { "playhead-received-at": String(Date.parse(started_at)), "playhead-arrival-id": "slow" };
    const slow = await its.patch(
      viewer,
      id,
      { position_seconds: 300 },
      { at: world.ingestUrl, headers: { ...json, ...stamp } },
    );
    expect([slow.status, await slow.json()]).toMatchObject([200, { position_seconds: 700 }]);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([{ playback_time: 700 }]);
  });

  test.each(["ingest", "edge"])("who may is checked by %s", async (side) => {
    const viewer = someone();
    const at = side === "edge" ? {} : { at: world.ingestUrl };
    const { id } = await its.started(viewer);
    const asks = (as: string, ...roles: string[]) => {
      const asking = { ...at, as, token: { roles } };
      return {
        post: () => its.post(as, { user_id: viewer }, asking),
        get: () => its.get(as, id, asking),
        patch: () => its.patch(as, id, { position_seconds: 1 }, asking),
        end: () => its.end(as, id, asking),
      };
    };
    // Whose it is stands in the body of the first; nobody else is told that there is one.
    const { post, ...found } = asks(someone(), "user");
    expect((await post()).status).toBe(403);
    for (const ask of Object.values(found)) expect((await ask()).status).toBe(404);
    const support = asks(someone(), "support");
    expect((await support.get()).status).toBe(200);
    expect((await support.post()).status).toBe(403);
    for (const ask of [support.patch, support.end]) expect((await ask()).status).toBe(404);
    expect((await its.get(viewer, id)).status).toBe(200);
    const service = asks(someone(), "service");
    expect((await service.post()).status).toBe(201);
    expect((await service.get()).status).toBe(200);
    expect((await service.patch()).status).toBe(200);
    expect((await service.end()).status).toBe(204);
  });

  test.each(["ingest", "edge"])("bad input is refused by %s, and nothing is stored", async (side) => {
    const viewer = someone();
    const at = side === "edge" ? {} : { at: world.ingestUrl };
    const { id } = await its.started(viewer);
    await world.drained();
    const refused = async (asking: Promise<Response>) => {
      const answer = await asking;
      const { errors = [], code } = (await answer.json()) as { code: string; errors?: { path: string }[] };
      return [answer.status, code, ...errors.map(({ path }) => path)];
    };
    const due = await world.redis.zcard(sessionsDue);
    expect(await refused(its.post(viewer, { device_id: "", duration_seconds: "x" }, at))).toEqual([
      ...[422, "invalid_input", "device_id", "duration_seconds"],
    ]);
    expect(await refused(its.patch(viewer, id, { position_seconds: -1 }, at))).toEqual([
      ...[422, "invalid_input", "position_seconds"],
    ]);
    expect(await refused(its.post(viewer, {}, { ...at, body: "{" }))).toEqual([400, "malformed_json"]);
    expect(await refused(its.patch(viewer, id, {}, { ...at, body: "{" }))).toEqual([400, "malformed_json"]);
    const text = { ...at, headers: { "content-type": "text/plain" } };
    expect(await refused(its.post(viewer, {}, text))).toEqual([415, "unsupported_media_type"]);
    expect(await refused(its.patch(viewer, id, {}, text))).toEqual([415, "unsupported_media_type"]);
    const large = { ...at, body: `"${"x".repeat(1_100_000)}"` };
    expect(await refused(its.post(viewer, {}, large))).toEqual([413, "body_too_large"]);
    expect(await refused(its.patch(viewer, id, {}, large))).toEqual([413, "body_too_large"]);
    for (const asking of [
      its.get(viewer, "a%20b", at),
      its.end(viewer, "a%20b", at),
      its.patch(viewer, "a%20b", { position_seconds: 1 }, at),
    ]) {
      expect(await refused(asking)).toEqual([422, "invalid_input", "session_id"]);
    }
    expect(await world.redis.zcard(sessionsDue)).toBe(due);
    expect(await world.redis.xlen(eventStream)).toBe(0);
    for (const asking of [its.get, its.end]) {
      expect(await codeOf(await asking(viewer, "unknown", at))).toEqual([404, "not_found"]);
    }
    const unknown = its.patch(viewer, "unknown", { position_seconds: 1 }, at);
    expect(await codeOf(await unknown)).toEqual([404, "not_found"]);
  });

  test("events by the id of a session are its user's for a service, and the token's for a user", async () => {
    const viewer = someone();
    const { id } = await its.started(viewer);
    const send = async (as: string, roles: string[], content_id: string) => {
      const body = JSON.stringify({ content_id, playback_time: 60, duration: 3_600 });
      const path = `/users/${id}/playlists/watchhistory`;
      const answer = await world.ask(path, { as, token: { roles }, method: "POST", headers: json, body });
      expect(answer.status).toBe(202);
      await world.drained();
    };
    const contents = async (of: string) =>
      (await world.history(of)).map(({ content_id }) => content_id as string).sort();

    await send("backend", ["service"], "live");
    expect(await contents(viewer)).toEqual(["live"]);
    await its.end(viewer, id);
    await send("backend", ["service"], "over");
    expect(await contents(viewer)).toEqual(["live", "over"]);
    const other = someone();
    await send(other, ["user"], "of-the-token");
    expect(await contents(other)).toEqual(["of-the-token"]);
    expect(await contents(viewer)).toEqual(["live", "over"]);
    await world.redis.del(sessionKey(id));
    await send("backend", ["service"], "unknown");
    expect(await contents(viewer)).toEqual(["live", "over"]);
    expect(await contents(id)).toEqual(["unknown"]);
  });

  test("two devices of a viewer are two sessions, and the newer report is the history", async () => {
    const viewer = someone();
    const tv = await its.started(viewer, { device_id: "tv" });
    const phone = await its.started(viewer, { device_id: "phone" });
    await its.at(viewer, tv.id, 600);
    await its.at(viewer, phone.id, 100);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([{ playback_time: 100 }]);
    expect(await (await its.get(viewer, tv.id)).json()).toMatchObject({ position_seconds: 600 });
    // The older one ends where it was: that is older than what the phone said.
    await its.end(viewer, tv.id);
    await world.drained();
    expect(await world.history(viewer)).toMatchObject([{ playback_time: 100 }]);
  });
});

describe("on a bad day", () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  async function newWorld(settings: Record<string, string> = {}) {
    const world = await createWorld(settings);
    cleanups.push(() => world.stop());
    return { world, ...sessionsIn(world) };
  }
  async function newRedis() {
    const server = await startTestRedis();
    const redis = connectRedis(server.url);
    cleanups.push(async () => {
      redis.disconnect();
      await server.stop();
    });
    return { server, redis };
  }

  test("a client dies: its session ends once, with the last reported position, whoever sees it", async () => {
    const { world, started, at, get, patch, end } = await newWorld({ SESSION_TIMEOUT: "3" });
    await world.startIngest();
    await world.startIngest();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => started("alice")));
    const alive = await started("bob");
    for (const [n, { id }] of sessions.entries()) await at("alice", id, 100 + n);
    const last = await get("alice", sessions.at(-1)?.id ?? "");
    const { updated_at } = (await last.json()) as StartedSession;

    await until(
      async () => {
        await at("bob", alive.id, 50);
        return (await world.redis.zcard(sessionsDue)) === 1;
      },
      { what: "the sessions to end", timeout: 20_000 },
    );
    const events = await publishedEnds(world.redis);
    expect(events.map(({ id }) => id).sort()).toEqual(sessions.map(({ id }) => id).sort());
    for (const [n, { id }] of sessions.entries()) {
      expect(events.find((event) => event.id === id)?.data).toMatchObject({
        ...{ ended_by: "timeout", position_seconds: 100 + n },
      });
      expect((await get("alice", id)).status).toBe(404);
      expect((await patch("alice", id, { position_seconds: 1 })).status).toBe(404);
      expect((await end("alice", id)).status).toBe(204);
    }
    expect((await get("bob", alive.id)).status).toBe(200);
    await world.drained();
    expect(await publishedEnds(world.redis)).toHaveLength(20);
    // Never extrapolated: where it was, when it was there.
    expect(await world.history("alice")).toMatchObject([{ playback_time: 119, last_watched_at: updated_at }]);
  });

  test("Postgres is away: playback does not wait for it, and what is reported arrives later", async () => {
    const { world, post, at, end } = await newWorld({ LOG_LEVEL: "warn" });
    await world.watched("alice", { content_id: "movie", playback_time: 600, duration: 3_600 });
    await allowConnections(world.database, false);
    await disconnect(world.database, "idle");
    await world.redis.del(...historyKeys("alice" as UserId));
    world.logged.length = 0;

    const answer = await post("alice");
    expect(answer.status).toBe(201);
    const session = (await answer.json()) as StartedSession;
    expect(session).toMatchObject({ position_seconds: 0, resume_position_seconds: null });
    const warnings = world.logged.map((line) => JSON.parse(line)).filter(({ msg }) => /^session:/.test(msg));
    expect(warnings).toMatchObject([{ level: 40, msg: expect.stringContaining("history cannot be read") }]);
    await at("alice", session.id, 700);
    expect((await end("alice", session.id)).status).toBe(204);
    expect(await publishedEnds(world.redis)).toHaveLength(1);

    await allowConnections(world.database, true);
    await until(async () => (await world.redis.xlen(eventStream)) === 0, {
      timeout: 20_000,
      what: "a drain",
    });
    expect(await world.history("alice")).toMatchObject([{ playback_time: 700 }]);
  });

  test("Postgres hangs: playback waits a second for it, and not longer", async () => {
    const { world, post } = await newWorld({ LOG_LEVEL: "warn" });
    let letGo = () => {};
    const holding = world.db.transaction(async (tx) => {
      await tx.execute(sql`LOCK TABLE listitems IN ACCESS EXCLUSIVE MODE`);
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    });
    await until(
      async () => {
        const held = sql`SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted`;
        return (await world.db.execute(held)).length > 0;
      },
      { what: "the table to be locked" },
    );
    const answer = await post("alice");
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ resume_position_seconds: null });
    expect(world.logged.join()).toContain("no answer within 1000 ms");
    letGo();
    await holding;
  });

  test("Redis of the views is away: sessions are on that of the stream, and resume from Postgres", async () => {
    const { server: streamServer, redis } = await newRedis();
    const streamDoor = await openDoor(streamServer);
    cleanups.push(() => streamDoor.stop());
    const stream = { STREAM_REDIS_REST_URL: streamDoor.url, STREAM_REDIS_REST_TOKEN: DOOR_TOKEN };
    const { world, started, get, at, end } = await newWorld({
      STREAM_REDIS_URL: streamServer.url,
      ...stream,
    });
    await world.send("alice", { content_id: "movie", playback_time: 600, duration: 3_600 });
    await until(async () => (await redis.xlen(eventStream)) === 0, { what: "a drain" });
    await world.killRedis();

    const session = await started("alice");
    expect(session.resume_position_seconds).toBe(600);
    expect((await get("alice", session.id)).status).toBe(200);
    await at("alice", session.id, 700);
    expect((await end("alice", session.id)).status).toBe(204);
    expect(await published(redis, session.id)).toHaveLength(1);
  });

  test("ingest is away: positions go past it, sessions are read from Redis, and nothing begins or ends", async () => {
    const { world, post, get, patch, end, started, at } = await newWorld();
    const { id } = await started("alice");
    await at("alice", id, 100);
    await Promise.all(world.services.map((service) => service.stop()));

    const patched = await patch("alice", id, { position_seconds: 200, quality: "4k" });
    expect(patched.status).toBe(202);
    expect(await patched.json()).toMatchObject({ id, position_seconds: 200, quality: "4k" });
    expect(await (await get("alice", id)).json()).toMatchObject({ position_seconds: 100 });
    expect(await codeOf(await patch("bob", id, { position_seconds: 1 }))).toEqual([404, "not_found"]);
    for (const asking of [post("alice"), end("alice", id)]) {
      const answer = await asking;
      expect(answer.headers.get("retry-after")).toBe("5");
      expect(await codeOf(answer)).toEqual([503, "unavailable"]);
    }
    const path = `/users/${id}/playlists/watchhistory`;
    const body = JSON.stringify({ content_id: "by-service", playback_time: 60, duration: 3_600 });
    const service = { as: "backend", token: { roles: ["service"] } };
    expect((await world.ask(path, { ...service, method: "POST", headers: json, body })).status).toBe(202);

    await world.startIngest();
    await world.drained();
    const history = await world.history("alice");
    expect(history.map(({ content_id, playback_time }) => [content_id, playback_time])).toEqual([
      ["by-service", 60],
      ["movie", 200],
    ]);
    const rows = await world.redis.hgetall(sessionKey(id));
    expect(rows).toMatchObject({ position_seconds: "100" });
  });

  test("Redis is away: a session is out of reach everywhere, and comes back whole", async () => {
    const { world, get, patch, post, end, started, at } = await newWorld();
    const { id } = await started("alice");
    await at("alice", id, 100);
    await world.killRedis();
    for (const asking of [
      post("alice"),
      get("alice", id),
      patch("alice", id, { position_seconds: 1 }),
      end("alice", id),
    ]) {
      expect(await codeOf(await asking)).toEqual([503, "unavailable"]);
    }
    await world.restartRedis();
    const back = await until(async () => {
      const answer = await get("alice", id);
      return answer.status === 200 && ((await answer.json()) as StartedSession);
    });
    expect(back).toMatchObject({ position_seconds: 100 });
    await until(async () => (await end("alice", id)).status === 204);
    expect(await published(world.redis, id)).toHaveLength(1);
  });

  test("the door is away: a session is read through ingest", async () => {
    const { world, get, started } = await newWorld();
    const { id } = await started("alice");
    await world.door.stop();
    const answer = await get("alice", id);
    expect([answer.status, await answer.json()]).toMatchObject([200, { id }]);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect((await get("bob", id)).status).toBe(404);
    expect((await get("alice", "unknown")).status).toBe(404);
  });

  test("the backlog is full: a report and an end are refused, and the session goes on", async () => {
    const { world, get, patch, end, started, at } = await newWorld({ BACKLOG_LIMIT: "5" });
    const { id } = await started("alice");
    await at("alice", id, 100);
    await world.drained();
    await allowConnections(world.database, false);
    await disconnect(world.database, "idle");
    await world.redis.set(backlogKey, "5");
    for (const asking of [patch("alice", id, { position_seconds: 200 }), end("alice", id)]) {
      const answer = await asking;
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await codeOf(answer)).toEqual([503, "backlog_full"]);
    }
    expect((await get("alice", id)).status).toBe(200);
    expect(await appended(world.redis)).toEqual([]);
    expect(await publishedEnds(world.redis)).toEqual([]);
    await world.redis.del(backlogKey);
    await allowConnections(world.database, true);
    expect((await end("alice", id)).status).toBe(204);
  });

  test("reports race the sweepers: none that was answered is missing from the end", async () => {
    const { world, started, patch } = await newWorld({ SESSION_TIMEOUT: "1" });
    await world.startIngest();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => started("alice")));
    const reporting = Promise.all(
      sessions.map(async ({ id }) => {
        // Who never stops may never be caught at rest.
        for (let position = 1; position <= 100; position++) {
          const { status } = await patch("alice", id, { position_seconds: position });
          if (status === 404) return { id, last: position - 1 };
          expect(status).toBe(200);
        }
        return { id, last: 100 };
      }),
    );
    // To the sweepers each of them looks silent all the time.
    const silent = sessions.flatMap(({ id }) => [1, id]);
    await until(
      async () => {
        await world.redis.zadd(sessionsDue, "XX", ...silent);
        return (await world.redis.zcard(sessionsDue)) === 0;
      },
      { what: "all of them to end", timeout: 20_000 },
    );
    const ended = await reporting;
    const events = await publishedEnds(world.redis);
    const positions = new Map(events.map((event) => [event.id, event.data.position_seconds]));
    expect(events).toHaveLength(20);
    for (const { id, last } of ended) expect([id, positions.get(id)]).toEqual([id, last]);
  });
});

describe("without Postgres", () => {
  let world: World;
  let its: ReturnType<typeof sessionsIn>;
  beforeAll(async () => {
    world = await createWorld({ DATABASE_URL: "", LOG_LEVEL: "warn", SESSION_TIMEOUT: "3" });
    its = sessionsIn(world);
  });
  afterAll(() => world.stop());

  test("sessions work, and leave no event that nobody would drain", async () => {
    const { id, ...session } = await its.started("alice");
    expect(session).toMatchObject({ position_seconds: 0, resume_position_seconds: null });
    await its.at("alice", id, 100);
    expect(await (await its.get("alice", id)).json()).toMatchObject({ position_seconds: 100 });
    expect((await its.end("alice", id)).status).toBe(204);
    expect(await published(world.redis, id)).toMatchObject([{ data: { position_seconds: 100 } }]);
    const silent = await its.started("alice");
    await its.at("alice", silent.id, 7);
    const event = await until(async () => (await published(world.redis, silent.id))[0]);
    expect(event.data).toMatchObject({ position_seconds: 7, ended_by: "timeout" });
    expect(await world.redis.exists(eventStream, backlogKey)).toBe(0);
  });

  test.each([
    ["POST", "/users/alice/playlists/watchhistory"],
    ["POST", "/profiles/alice/history"],
    ["GET", "/users/alice/watchhistory"],
    ["GET", "/users/alice/watchhistory?sport=football"],
    ["GET", "/profiles/alice/history"],
    ["GET", "/users/alice/watchhistory/facets?by=sport"],
    ["GET", "/users/alice/watchhistory/movie"],
    ["DELETE", "/users/alice/watchhistory/movie"],
    ["DELETE", "/users/alice/watchhistory"],
    ["GET", "/contents/movie"],
    ["PUT", "/contents/movie"],
    ["DELETE", "/contents/movie"],
    ["POST", "/contents"],
  ])("%s %s says that history is off", async (method, path) => {
    const body = method === "POST" || method === "PUT" ? { body: "{}", headers: json } : {};
    const answer = await world.ask(path, { token: { roles: ["admin"] }, method, ...body });
    expect(await codeOf(answer)).toEqual([501, "history_off"]);
  });

  test("it is ready without it, and says once that history is off", async () => {
    const answer = await fetch(`${world.ingestUrl}/ready`);
    expect([answer.status, await answer.json()]).toEqual([200, { stream: true }]);
    const said = world.logged.map((line) => JSON.parse(line)).filter(({ msg }) => /history is off/.test(msg));
    expect(said).toHaveLength(1);
  });
});

test("whose session it was is remembered for a day", async () => {
  const world = await createWorld();
  const { started, end } = sessionsIn(world);
  const { id } = await started("alice");
  await end("alice", id);
  const left = await world.redis.pttl(sessionKey(id));
  expect(left).toBeLessThanOrEqual(24 * HOUR);
  expect(left).toBeGreaterThan(24 * HOUR - 60_000);
  expect(Object.keys(await world.redis.hgetall(sessionKey(id))).sort()).toEqual(["ended_at", "user_id"]);
  await world.stop();
});
