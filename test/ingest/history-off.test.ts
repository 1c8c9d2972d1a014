import { expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { ServiceDeps } from "../../ingest/deps.ts";
import { createHttp } from "../../ingest/http.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { createMetrics } from "../../ingest/observe/metrics.ts";

const deps = {
  ...{
    log: createLog("silent"),
    metrics: createMetrics(),
    clock: Date.now,
    newId: () => "id",
    eventMaxAgeMs: 1e9,
  },
  verifyToken: async () => ({ user_id: "alice" as UserId, roles: ["admin"] }),
  limit: async () => {},
} as unknown as ServiceDeps;
const http = createHttp({ ...deps, history: null });
/** What works without Postgres. */
const ALONE = /^\/(health|ready|metrics|api\/v1\/sessions.*)$/;
const routes = http.routes.filter(({ method, path }) => method !== "ALL" && !ALONE.test(path));

test("without Postgres every route of the history and of the catalogue says so", async () => {
  expect(routes.length).toBeGreaterThan(11);
  for (const { method, path } of routes) {
    const headers = { authorization: "Bearer x", "content-type": "application/json" };
    const body = method === "GET" ? {} : { body: "{}" };
    const answer = await http.request(path.replace(/:\w+/g, "x"), { method, headers, ...body });
    expect([method, path, answer.status, await answer.json()]).toMatchObject([
      ...[method, path, 501],
      { code: "history_off", title: "History is off" },
    ]);
  }
});
