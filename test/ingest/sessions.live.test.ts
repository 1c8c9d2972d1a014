import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sessionEnded } from "../../db/contract/cloud-events.ts";
import { finalEntry, type PositionInput, reported, type Session } from "../../db/contract/sessions.ts";
import { backlogKey, busStream, eventStream, sessionKey, sessionsDue } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { endSession } from "../../ingest/sessions/end-session.ts";
import { endSilent, endSilentSessions } from "../../ingest/sessions/end-silent.ts";
import { type SessionStore, sessionStore } from "../../ingest/sessions/session-store.ts";
import { testClock } from "../support/clock.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { appended, published, sessionOf } from "../support/sessions.ts";
import { until } from "../support/until.ts";

const AT = Date.UTC(2026, 0, 1);
const DAY_SECONDS = 86_400;
const log = createLog("silent");
const client = { by: "client" } as const;

let server: TestRedis;
let redis: Redis;
let sessions: SessionStore;
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
  sessions = sessionStore(redis, { backlogLimit: 10 });
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A session in Redis, as it is there after its reports. */
async function live(id: string, its: Partial<Session> = {}): Promise<Session> {
  const session = sessionOf(id, its);
  await sessions.create({ ...session, started_at: session.updated_at });
  return { ...session, started_at: session.updated_at };
}

/** Everything that Redis holds, but for how its streams number their entries. */
async function everything() {
  const [state, due, backlog] = await Promise.all([
    redis.hgetall(sessionKey("s")),
    redis.zrange(sessionsDue, 0, -1, "WITHSCORES"),
    redis.get(backlogKey),
  ]);
  return { state, due, backlog, entries: await appended(redis), events: await published(redis) };
}

describe("a session", () => {
  test("is there from its beginning on, and never expires", async () => {
    const session = await live("s", { duration_seconds: null, quality: "4k" });
    expect(await sessions.read("s")).toEqual({ state: "live", session });
    expect(await sessions.userOf("s")).toBe("alice");
    expect(await redis.ttl(sessionKey("s"))).toBe(-1);
    expect(await redis.ttl(sessionsDue)).toBe(-1);
    expect(await sessions.read("S")).toEqual({ state: "unknown" });
    expect(await sessions.userOf("S")).toBeNull();
  });

  test("after any reports is what the contract says", async () => {
    const report = fc.record({
      at: fc.integer({ min: -3, max: 6 }).map((step) => AT + step),
      input: fc.record(
        {
          position_seconds: fc.oneof(
            fc.nat(9_999),
            fc.double({ min: 0, max: 1e8, noNaN: true }).map(Math.abs),
          ),
          playback_state: fc.constantFrom("playing", "paused", "buffering", "ended", null, undefined),
          quality: fc.constantFrom("4k", null, undefined),
        },
        { requiredKeys: ["position_seconds"] },
      ) as fc.Arbitrary<PositionInput>,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(report, { maxLength: 6 }), async (reports) => {
        await redis.flushall();
        let expected = await live("s", { updated_at: AT, reports: 0 });
        for (const { input, at } of reports) {
          expected = reported(expected, input, at);
          expect(await sessions.report("s", input, at)).toEqual(expected);
        }
        expect(await sessions.read("s")).toEqual({ state: "live", session: expected });
        expect(await redis.zscore(sessionsDue, "s")).toBe(String(expected.updated_at));
      }),
      { numRuns: 60 },
    );
  });

  test("that is unknown or over cannot be reported, and does not come to life", async () => {
    expect(await sessions.report("s", { position_seconds: 1 }, AT)).toBeNull();
    expect(await redis.keys("*")).toEqual([]);
    await endSession({ sessions, history: {} }, await live("s"), { at: AT, ...client });
    const over = await everything();
    expect(await sessions.report("s", { position_seconds: 1 }, AT + 1e6)).toBeNull();
    expect(await everything()).toEqual(over);
  });

  test("without its Redis is out of reach, and that is a refusal", async () => {
    const away = connectRedis("redis://127.0.0.1:1");
    const store = sessionStore(away, { backlogLimit: 10 });
    const session = sessionOf("s");
    const end = { at: AT, entry: null, event: sessionEnded(session, AT, "client") };
    for (const asking of [
      store.read("s"),
      store.userOf("s"),
      store.create(session),
      store.report("s", { position_seconds: 1 }, AT),
      store.end(session, end),
      store.silent(AT, 1),
    ]) {
      await expect(asking).rejects.toMatchObject({ name: "Refusal", code: "unavailable" });
    }
    away.disconnect();
  });
});

describe("the end of a session", () => {
  test("is its last event, SessionEnded, and a day's memory of its user", async () => {
    const session = await live("s", { position_seconds: 77 });
    const ended_at = session.updated_at + 5_000;
    expect(await endSession({ sessions, history: {} }, session, { at: ended_at, ...client })).toBe("ended");
    expect(await everything()).toEqual({
      state: { user_id: "alice", ended_at: String(ended_at) },
      ...{ due: [], backlog: "1", entries: [finalEntry(session)] },
      events: [sessionEnded(session, ended_at, "client")],
    });
    const left = await redis.ttl(sessionKey("s"));
    expect(left).toBeLessThanOrEqual(DAY_SECONDS);
    expect(left).toBeGreaterThan(DAY_SECONDS - 60);
    expect(await sessions.read("s")).toEqual({ state: "ended", user_id: "alice" });
    expect(await sessions.userOf("s")).toBe("alice");
  });

  test("of one that never reported, and where history is off, has no last event", async () => {
    const silent = await live("s", { reports: 0 });
    expect(await endSession({ sessions, history: {} }, silent, { at: AT, ...client })).toBe("ended");
    const off = await live("t");
    expect(await endSession({ sessions, history: null }, off, { at: AT, ...client })).toBe("ended");
    expect(await appended(redis)).toEqual([]);
    expect(await redis.get(backlogKey)).toBeNull();
    expect((await published(redis)).map(({ id }) => id)).toEqual(["s", "t"]);
  });

  test("is never before its last report", async () => {
    const session = await live("s");
    await endSession({ sessions, history: {} }, session, { at: session.updated_at - 9, ...client });
    expect((await published(redis))[0]?.time).toBe(new Date(session.updated_at).toISOString());
  });

  test("does not happen once it was reported since it was seen, even in the same instant", async () => {
    const session = await live("s");
    await sessions.report("s", { position_seconds: 700 }, session.updated_at);
    const before = await everything();
    expect(await endSession({ sessions, history: {} }, session, { at: AT, ...client })).toBe("changed");
    expect(await everything()).toEqual(before);
  });

  test("does not happen twice", async () => {
    const session = await live("s");
    await endSession({ sessions, history: {} }, session, { at: AT, ...client });
    const over = await everything();
    expect(await endSession({ sessions, history: {} }, session, { at: AT, by: "timeout" })).toBe("gone");
    expect(await everything()).toEqual(over);
  });

  test("waits while the backlog is full, and counts what it adds", async () => {
    const session = await live("s");
    await redis.set(backlogKey, "10");
    const before = await everything();
    expect(await endSession({ sessions, history: {} }, session, { at: AT, ...client })).toBe("full");
    expect(await everything()).toEqual(before);
    // Nothing to add: nothing to wait for.
    const silent = await live("t", { reports: 0 });
    expect(await endSession({ sessions, history: {} }, silent, { at: AT, ...client })).toBe("ended");

    await redis.set(backlogKey, "9");
    expect(await endSession({ sessions, history: {} }, session, { at: AT, ...client })).toBe("ended");
    expect(await redis.get(backlogKey)).toBe("10");
  });

  test("happens whole or not at all, whichever of its keys cannot be written", async () => {
    const keys = [sessionsDue, eventStream, backlogKey, busStream];
    for (const broken of keys) {
      await redis.flushall();
      const session = await live("s");
      const was = await redis.dump(broken);
      await redis.del(broken);
      if (broken === backlogKey) await redis.lpush(broken, "x");
      else await redis.set(broken, "x");
      const others = keys.filter((key) => key !== broken);
      const dumps = () => Promise.all([sessionKey("s"), ...others].map((key) => redis.dumpBuffer(key)));
      const before = await dumps();
      const ending = endSession({ sessions, history: {} }, session, { at: AT, ...client });
      await expect(ending).rejects.toMatchObject({ code: "unavailable" });
      expect([broken, await dumps()]).toEqual([broken, before]);
      if (was === null) await redis.del(broken);
      else await redis.restore(broken, 0, was, "REPLACE").catch(() => redis.del(broken));
    }
  });

  test("leaves state, entry, event and backlog in step, whoever reports and ends meanwhile", async () => {
    const step = fc.constantFrom("report", "late report", "end", "end as seen at first");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(3), async (steps, room) => {
        await redis.flushall();
        const first = await live("s", { updated_at: AT, reports: 0 });
        await redis.set(backlogKey, String(10 - room));
        let at = AT;
        await Promise.all(
          steps.map(async (what) => {
            at += 1;
            if (what === "report") await sessions.report("s", { position_seconds: 5 }, at);
            else if (what === "late report") await sessions.report("s", { position_seconds: 9 }, AT - 1);
            else {
              const known = what === "end" ? await sessions.read("s") : null;
              const seen = known?.state === "live" ? known.session : first;
              await endSession({ sessions, history: {} }, seen, { at, ...client });
            }
          }),
        );
        const { state, due, backlog, entries, events } = await everything();
        const over = "ended_at" in state;
        expect(due.length === 0).toBe(over);
        expect(events).toHaveLength(over ? 1 : 0);
        expect(entries.length).toBeLessThanOrEqual(events.length);
        expect(Number(backlog)).toBe(10 - room + entries.length);
        if (over)
          expect(entries.length > 0).toBe(events[0]?.data.position_seconds !== first.position_seconds);
        if (entries[0]) expect(entries[0].events[0]).toMatchObject({ event_id: "s.end", playback_time: 5 });
      }),
      { numRuns: 60 },
    );
  });
});

describe("sessions whose players are silent", () => {
  const deps = (more = {}) => ({ sessions, history: {}, clock: () => AT, timeoutMs: 1_000, log, ...more });

  test("end with their last reported position, and the others go on", async () => {
    const silent = await live("silent", { updated_at: AT - 1, position_seconds: 42 });
    await live("heard", { updated_at: AT });
    expect(await endSilent(deps(), AT)).toBe(1);
    expect(await published(redis)).toEqual([sessionEnded(silent, AT, "timeout")]);
    expect(await appended(redis)).toEqual([finalEntry(silent)]);
    expect(await redis.zrange(sessionsDue, 0, -1)).toEqual(["heard"]);
    expect(await endSilent(deps(), AT)).toBe(0);
  });

  test("are found however many they are, each ended once by any number of ingests at once", async () => {
    const many = sessionStore(redis, { backlogLimit: 10_000 });
    const ids = Array.from({ length: 350 }, (_, n) => `s${n}`);
    for (const id of ids) await many.create(sessionOf(id, { started_at: AT - 5 }));
    const others = Array.from({ length: 2 }, () => connectRedis(server.url));
    const stores = [many, ...others.map((own) => sessionStore(own, { backlogLimit: 10_000 }))];
    const ended = await Promise.all(stores.map((store) => endSilent(deps({ sessions: store }), AT)));
    for (const own of others) own.disconnect();
    expect(ended.reduce((sum, its) => sum + its, 0)).toBe(350);
    expect((await published(redis)).map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(await redis.zcard(sessionsDue)).toBe(0);
    expect(await redis.get(backlogKey)).toBe("350");
  });

  test("and are reported just before they would be ended, go on", async () => {
    const session = await live("s", { updated_at: AT - 1 });
    let found = 0;
    const racing: SessionStore = {
      ...sessions,
      async silent(since, max) {
        const all = await sessions.silent(since, max);
        found += all.length;
        for (const { id } of all) await sessions.report(id, { position_seconds: 601 }, AT + 1);
        return all;
      },
    };
    expect(await endSilent(deps({ sessions: racing }), AT)).toBe(0);
    expect(found).toBe(1);
    const after = reported(session, { position_seconds: 601 }, AT + 1);
    expect(await sessions.read("s")).toEqual({ state: "live", session: after });
    expect(await published(redis)).toEqual([]);
    expect(await appended(redis)).toEqual([]);
  });

  test("wait while the backlog is full; those with nothing to add do not", async () => {
    await live("reported", { updated_at: AT - 2 });
    await live("fresh", { updated_at: AT - 1, reports: 0 });
    await redis.set(backlogKey, "10");
    expect(await endSilent(deps(), AT)).toBe(1);
    expect(await redis.zrange(sessionsDue, 0, -1)).toEqual(["reported"]);
    await redis.set(backlogKey, "0");
    expect(await endSilent(deps(), AT)).toBe(1);
  });

  test("and whose state somebody took away are forgotten", async () => {
    await live("lost", { updated_at: AT - 1 });
    await live("there", { updated_at: AT - 1 });
    await redis.del(sessionKey("lost"));
    expect(await endSilent(deps(), AT)).toBe(1);
    expect(await redis.zcard(sessionsDue)).toBe(0);
  });

  test("get their time again after a start, and after Redis was away", async () => {
    const clock = testClock(AT);
    const stopping = new AbortController();
    await live("s", { updated_at: AT - 60_000 });
    let asked = 0;
    let away = false;
    const watched: SessionStore = {
      ...sessions,
      async silent(since, max) {
        asked += 1;
        if (away) throw new Error("away");
        return await sessions.silent(since, max);
      },
    };
    let looked = 0;
    const counted = () => {
      looked += 1;
      return clock.now();
    };
    const rounds = async (more: number) => {
      const enough = looked + more;
      await until(() => looked >= enough, { what: "some rounds" });
    };
    const its = deps({ sessions: watched, clock: counted, timeoutMs: 10_000 });
    const sweeping = endSilentSessions(its, stopping.signal);

    clock.advance(9_999);
    await rounds(2);
    expect(asked).toBe(0);
    away = true;
    clock.advance(1);
    await until(() => asked === 1, { what: "a round that fails" });
    away = false;
    clock.advance(9_999);
    await rounds(2);
    expect(asked).toBe(1);
    expect(await redis.zcard(sessionsDue)).toBe(1);
    clock.advance(1);
    await until(async () => (await redis.zcard(sessionsDue)) === 0, { what: "the session to be ended" });
    stopping.abort();
    await sweeping;
  });
});
