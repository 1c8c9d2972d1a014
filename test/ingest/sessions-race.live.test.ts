import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Session, sessionView } from "../../db/contract/sessions.ts";
import type { ServiceDeps } from "../../ingest/deps.ts";
import { createHttp } from "../../ingest/http.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { createMetrics } from "../../ingest/observe/metrics.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { endSession } from "../../ingest/sessions/end-session.ts";
import { type SessionStore, sessionStore } from "../../ingest/sessions/session-store.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { published, sessionOf } from "../support/sessions.ts";

/** What happens between the steps of a request, made to happen. */

const session: Session = sessionOf("s", { started_at: 1_000, updated_at: 1_000 });

let server: TestRedis;
let redis: Redis;
let sessions: SessionStore;
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
  sessions = sessionStore(redis, { backlogLimit: 10 });
});
beforeEach(async () => {
  await redis.flushall();
  await sessions.create(session);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Asks an ingest where this happens after each time that a session is read. */
async function ask(method: string, path: string, afterRead: (times: number) => Promise<unknown>) {
  let reads = 0;
  const racing: SessionStore = {
    ...sessions,
    async read(id) {
      const known = await sessions.read(id);
      await afterRead(++reads);
      return known;
    },
  };
  const deps: ServiceDeps = {
    ...{
      sessions: racing,
      log: createLog("silent"),
      metrics: createMetrics(),
      tracing: null,
      clock: Date.now,
      newId: () => "id",
    },
    ...{ eventMaxAgeMs: 1e9, stopping: new AbortController().signal, probe: async () => ({}) },
    verifyToken: async () => ({ user_id: session.user_id, roles: ["user"] }),
    limit: async () => {},
  };
  const headers = { authorization: "Bearer x", "content-type": "application/json" };
  const body = method === "PATCH" ? { body: '{"position_seconds":5}' } : {};
  return await createHttp({ ...deps, history: null }).request(path, { method, headers, ...body });
}

const report = (position_seconds: number) => sessions.report("s", { position_seconds }, 2_000);

test("who ends a session ends it as it is in the end, whatever is reported meanwhile", async () => {
  const answer = await ask("DELETE", "/api/v1/sessions/s", async (times) => {
    if (times <= 3) await report(100 + times);
  });
  expect(answer.status).toBe(204);
  const expected = sessionView({ ...session, position_seconds: 103, updated_at: 2_000 });
  expect(await published(redis)).toMatchObject([{ data: expected }]);
});

test("but not for ever", async () => {
  const answer = await ask("DELETE", "/api/v1/sessions/s", report);
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: "unavailable" }]);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await sessions.read("s")).toMatchObject({ state: "live" });
  expect(await published(redis)).toEqual([]);
});

const endIt = () => endSession({ sessions, history: null }, session, { at: 3_000, by: "timeout" });

test("who ends a session that somebody else ends meanwhile is told that it is over", async () => {
  const answer = await ask("DELETE", "/api/v1/sessions/s", endIt);
  expect(answer.status).toBe(204);
  expect(await published(redis)).toMatchObject([{ data: { ended_by: "timeout" } }]);
});

test("who reports to a session that ends meanwhile is told that it is not there", async () => {
  const answer = await ask("PATCH", "/api/v1/sessions/s/position", endIt);
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: "not_found" }]);
  expect(await sessions.read("s")).toMatchObject({ state: "ended" });
});
