import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { startPostgres } from "../../db/local/postgres.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import { shownOf } from "../support/profiles.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** The bad days of profiles, watchlists and ratings, each made to happen to real servers. */

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newWorld(settings: Record<string, string> = {}): Promise<World> {
  const world = await createWorld({ RATE_LIMIT_PER_MINUTE: "0", ...settings });
  cleanups.push(() => world.stop());
  return world;
}

const user = "alice" as UserId;
function asAlice(world: World) {
  const ask = async (method: string, path = "", body?: unknown) => {
    const headers = { "content-type": "application/json" };
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    return await world.ask(`/profiles/alice${path}`, { method, ...sent });
  };
  return {
    ask,
    add: (content_id: string) => ask("POST", "/watchlist", { content_id }),
    rate: (content_id: string, rating: number) => ask("POST", "/ratings", { content_id, rating }),
    ids: async (path: string) =>
      ((await (await ask("GET", path)).json()) as { content_id: string }[]).map((its) => its.content_id),
  };
}

test("Redis dies: what is written is durable, reads come from Postgres, and the views are right before the bus is told", async () => {
  const world = await newWorld();
  const alice = asAlice(world);
  await alice.add("a");
  await alice.rate("a", 3);
  await alice.ask("PUT", "", { name: "Alice" });
  await alice.ids("/watchlist");

  await world.killRedis();
  const added = await alice.add("b");
  expect([added.status, await added.json()]).toMatchObject([202, { content_id: "b" }]);
  const rated = await alice.rate("a", 9);
  expect([rated.status, await rated.json()]).toMatchObject([202, { rating: 9 }]);
  expect((await alice.ask("DELETE", "/watchlist/a")).status).toBe(202);
  expect((await alice.ask("PUT", "", { name: "Alicia" })).status).toBe(202);
  expect(await alice.ids("/watchlist")).toEqual(["b"]);

  await world.restartRedis();
  // Nobody asks and nobody writes again: whoever publishes what was written mends what it tells of.
  await until(async () => (await world.redis.xlen("events:{stream:watch-history}")) === 7);
  const shown = shownOf(world.redis);
  expect(await shown.ratings(user)).toMatchObject({ found: [{ rating: 9 }] });
  expect(await shown.profile(user)).toMatchObject({ found: { name: "Alicia" } });
  expect(await alice.ids("/watchlist")).toEqual(["b"]);
  expect(await shown.watchlist(user)).toMatchObject({ found: [{ content_id: "b" }] });
}, 60_000);

test("Redis hangs: a write does not wait for it, and neither does a read", async () => {
  const world = await newWorld();
  const alice = asAlice(world);
  await alice.add("a");
  world.pauseRedis();
  try {
    expect((await alice.add("b")).status).toBe(202);
    expect(await alice.ids("/watchlist")).toEqual(["b", "a"]);
  } finally {
    world.resumeRedis();
  }
  await until(async () => (await alice.add("b")).status === 200);
  expect(await alice.ids("/watchlist")).toEqual(["b", "a"]);
}, 60_000);

test("Postgres dies: warm reads go on, and everything else says so, and does nothing", async () => {
  const dir = mkdtempSync(join(tmpdir(), "playhead-outage-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const start = async (port?: number) => {
    const server = await startPostgres({ dir, ...(port === undefined ? {} : { port }) });
    cleanups.push(() => server.stop());
    return server;
  };
  const postgres = await start();
  await migrate(postgres.url);
  const world = await newWorld({ DATABASE_URL: postgres.url });
  const alice = asAlice(world);
  await alice.add("a");
  await alice.rate("a", 3);
  await alice.ask("PUT", "", { name: "Alice" });
  await until(async () => (await world.redis.xlen("events:{stream:watch-history}")) === 3);
  await alice.ids("/watchlist");

  await postgres.kill();
  expect(await alice.ids("/watchlist")).toEqual(["a"]);
  expect(await alice.ids("/ratings")).toEqual(["a"]);
  expect((await alice.ask("GET")).status).toBe(200);
  for (const asking of [
    () => alice.add("b"),
    () => alice.rate("a", 9),
    () => alice.ask("DELETE", "/ratings/a"),
    () => alice.ask("PUT", "", { name: "Alicia" }),
    () => world.ask("/contents/a/ratings"),
    () => world.ask("/profiles/bob/watchlist", { as: "bob" }),
    () => world.ask("/profiles/bob", { as: "bob" }),
  ]) {
    const answer = await asking();
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "unavailable" }]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }

  await start(postgres.port);
  await until(async () => (await alice.add("b")).status < 300);
  expect(await alice.ids("/watchlist")).toEqual(["b", "a"]);
  expect(await (await alice.ask("GET")).json()).toMatchObject({ name: "Alice" });
}, 60_000);
