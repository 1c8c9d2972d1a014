import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Child, startChild } from "../../db/local/child.ts";
import { freePort } from "../../db/local/port.ts";
import { createEdgeWorld, type EdgeWorld, SECRET } from "../support/edge-world.ts";
import { withinOneMinute } from "../support/minute.ts";
import { historyRow } from "../support/rows.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** The Worker in the real runtime, where a `ratelimits` binding is bound, and where none is. */

const ROOT = join(import.meta.dirname, "../..");
const BINDING = `
[[ratelimits]]
name = "RATE_LIMITER"
namespace_id = "1001"
simple = { limit = 5, period = 60 }
`;

let world: EdgeWorld;
const workers: Child[] = [];
beforeAll(async () => {
  world = await createEdgeWorld();
  for (const user of ["alice", "bob"]) await world.warm(user, [historyRow(user, "a")]);
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await world.stop();
});

beforeEach(withinOneMinute);

/** A Worker with a limit of five. @returns how it is asked. */
async function startWorker(name: string, more: string) {
  const dir = join(world.server.dir, name);
  mkdirSync(dir);
  const config = join(dir, "wrangler.toml");
  writeFileSync(
    config,
    `name = "${name}"
main = "${join(ROOT, "edge/worker.ts")}"
compatibility_date = "2026-10-01"
compatibility_flags = ["no_nodejs_compat", "no_nodejs_compat_v2"]
assets = { directory = "${join(ROOT, "edge/public")}", binding = "ASSETS", run_worker_first = true }
${more}`,
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...world.env, RATE_LIMIT_PER_MINUTE: "5" };
  const worker = await startChild({
    name: `the Worker ${name}`,
    command: "/usr/bin/env",
    args: [
      ...["WRANGLER_SEND_METRICS=false", "CLOUDFLARE_CF_FETCH_ENABLED=false", "CI=1"],
      ...[process.execPath, join(ROOT, "node_modules/wrangler/bin/wrangler.js"), "dev", "--config", config],
      ...[
        "--ip",
        "127.0.0.1",
        "--port",
        `${port}`,
        "--inspector-port",
        "0",
        "--persist-to",
        join(dir, "state"),
      ],
      ...Object.entries(env).flatMap(([variable, value]) => ["--var", `${variable}:${value}`]),
    ],
    spawnAs: { cwd: ROOT },
    stopSignal: "SIGTERM",
    ready: () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  workers.push(worker);
  return async (user: string) =>
    await fetch(`${url}/users/${user}/watchhistory`, {
      headers: { authorization: `Bearer ${await tokenFor(SECRET, user)}` },
    });
}

test("where it is bound it counts, one user by one, and Redis is not asked", async () => {
  const ask = await startWorker("bound", BINDING);
  expect((await ask("alice")).status).toBe(200);
  const refused = await until(async () => {
    const answer = await ask("alice");
    return answer.status === 429 && answer;
  });
  expect(await refused.json()).toMatchObject({ code: "rate_limited" });
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds > 0 && seconds <= 60).toBe(true);
  // It does not say how many are left.
  expect(refused.headers.get("ratelimit")).toBeNull();
  expect((await ask("bob")).status).toBe(200);
  expect(await world.redis.keys("rl:*")).toEqual([]);
});

test("where none is bound Redis counts, after the answer was given", async () => {
  const ask = await startWorker("unbound", "");
  const first = await ask("alice");
  expect(first.status).toBe(200);
  const told = await until(async () => (await ask("alice")).headers.get("ratelimit"));
  expect(told).toMatch(/^"user";r=[0-4];t=\d+$/);
  await until(async () => (await ask("alice")).status === 429, { what: "the limit" });
  const [key = ""] = await world.redis.keys("rl:{alice}:*");
  expect(Number(await world.redis.get(key))).toBeLessThanOrEqual(5);
});
