import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Export } from "../../db/contract/privacy.ts";
import { deadStream } from "../../db/redis/keys.ts";
import { exportText } from "../../ingest/privacy/export-text.ts";
import { allowConnections, disconnect } from "../support/connections.ts";
import { lifeOf } from "../support/lives.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "error" });
});
afterAll(() => world.stop());

const ROWS = 30_000;

async function manyRows(user: string): Promise<void> {
  await world.db.execute(sql`
    INSERT INTO listitems (user_id, playlist, content_id, position_at, catalog_id)
    SELECT ${user}, 'watchhistory', 'content-' || n, ${Date.now()}, repeat('x', 100) FROM generate_series(1, ${ROWS}) n
  `);
}

describe("an export", () => {
  test("holds everything that is kept of a user, and nobody else's", async () => {
    const { ask, once } = lifeOf(world, "alice", [world.edgeUrl]);
    await lifeOf(world, "Alice", [world.edgeUrl]).once();
    await once();
    await ask("/users/alice/watchhistory/settings", "PUT", { paused: true });
    const part = { v: 1, user_id: "alice", session_id: null, received_at: 1, events: [] };
    const others = { ...part, user_id: "Alice" };
    const poison = JSON.stringify([others, part]);
    await world.redis.xadd(deadStream, "*", "entry", poison, "events", "1", "reason", "r");
    await world.drained();

    const response = await ask("/profiles/alice/export");
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="playhead-export.json"');
    expect(response.headers.get("cache-control")).toContain("no-store");
    const text = await response.text();
    expect(text).not.toContain("Alice");
    const its = Export.strict().parse(JSON.parse(text));
    expect(its).toMatchObject({ user_id: "alice", up_to_date: true, profile: { user_id: "alice" } });
    expect(its.history.map(({ content_id }) => content_id)).toEqual(["film", "match"]);
    const [film, match] = its.history;
    expect(film).toMatchObject({ position_at: expect.stringMatching(/Z$/), dismissed: true, duration: 600 });
    expect(match).toMatchObject({
      forgotten_at: expect.stringMatching(/Z$/),
      playback_time: 0,
      position_at: null,
    });
    expect(its.ratings).toMatchObject([{ content_id: "film", review: "alice" }]);
    expect(its.watchlist).toHaveLength(1);
    expect(its.plays.length).toBeGreaterThan(0);
    expect(its.sessions.length).toBeGreaterThan(0);
    expect(its.history_settings.pauses.at(-1)).toMatchObject({ to: null });
    expect(its.quarantine).toEqual([part]);
  });

  test("of somebody who was never here is empty", async () => {
    const { ask } = lifeOf(world, "nobody", [world.edgeUrl]);
    expect(Export.parse(await (await ask("/profiles/nobody/export")).json())).toMatchObject({
      ...{ profile: null, history: [], plays: [], watchlist: [], ratings: [], sessions: [], quarantine: [] },
      history_settings: { cleared_at: null, pauses: [] },
    });
  });

  test("waits for what was just accepted, and says so when that does not come in time", async () => {
    const { ask } = lifeOf(world, "soon", [world.edgeUrl]);
    await world.send("soon", { content_id: "film", playback_time: 60, duration: 600 });
    expect(await (await ask("/profiles/soon/export")).json()).toMatchObject({
      ...{ up_to_date: true, history: [{ content_id: "film" }] },
    });
    await world.db.transaction(async (holder) => {
      await holder.execute(sql`LOCK TABLE plays IN EXCLUSIVE MODE`);
      await world.send("soon", { content_id: "other", playback_time: 60, duration: 600 });
      expect(await (await ask("/profiles/soon/export")).json()).toMatchObject({
        ...{ up_to_date: false, history: [{ content_id: "film" }] },
      });
    });
    await world.drained();
  });

  test("of any length comes as one document, page by page", async () => {
    await manyRows("long");
    const response = await lifeOf(world, "long", [world.edgeUrl]).ask("/profiles/long/export");
    const { history } = Export.parse(await response.json());
    expect(new Set(history.map(({ content_id }) => content_id)).size).toBe(ROWS);
  });

  test("reads no further than somebody takes", async () => {
    let pages = 0;
    async function* endless() {
      for (;;) yield [`page ${++pages}`];
    }
    const reader = ReadableStream.from(exportText([["history", endless()]])).getReader();
    for (let n = 0; n < 5; n++) await reader.read();
    expect(pages).toBeLessThan(8);
    await reader.cancel();
  });

  test.each(["edge", "ingest"])("that breaks off in the middle is no document (%s)", async (side) => {
    await manyRows(`broken-${side}`);
    const at = side === "edge" ? world.edgeUrl : world.ingestUrl;
    const response = await lifeOf(world, `broken-${side}`, [at]).ask(`/profiles/broken-${side}/export`);
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toContain(`"user_id": "broken-${side}"`);

    await allowConnections(world.database, false);
    try {
      for (const state of ["idle", "active"] as const) await disconnect(world.database, state);
      const rest = async () => {
        while (!(await reader?.read())?.done);
      };
      await expect(rest()).rejects.toThrow();
    } finally {
      await allowConnections(world.database, true);
    }
    await until(async () => (await world.db.execute(sql`SELECT 1`)).length === 1);
  });

  test("is refused before its first byte while a store is away", async () => {
    const { ask } = lifeOf(world, "alice", [world.edgeUrl]);
    await allowConnections(world.database, false);
    try {
      for (const state of ["idle", "active"] as const) await disconnect(world.database, state);
      expect((await ask("/profiles/alice/export")).status).toBe(503);
    } finally {
      await allowConnections(world.database, true);
    }
    await until(async () => (await world.db.execute(sql`SELECT 1`)).length === 1);
    world.pauseRedis();
    try {
      expect((await ask("/profiles/alice/export")).status).toBe(503);
    } finally {
      world.resumeRedis();
    }
  });
});
