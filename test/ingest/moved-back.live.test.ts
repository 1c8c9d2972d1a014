import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { changesArguments, readChanges } from "../../db/redis/change-scripts.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundChanges } from "../../db/redis/replies.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { fold } from "../../ingest/drain/fold.ts";
import { runScript } from "../../ingest/redis.ts";
import { auditUser } from "../../ingest/views/audit.ts";
import { loadHistory } from "../../ingest/views/load.ts";
import { project } from "../../ingest/views/project.ts";
import { createRing, type Ring, readView } from "../support/ring.ts";
import { historyRow } from "../support/rows.ts";
import { warmUser } from "../support/warm.ts";

/**
 * An item moves back when a mark is taken back, or when a pause takes away what was newer. What it was before may still
 * be on its way then, and stands higher than all that the view knows of it.
 */

const alice = "alice" as UserId;
const START = 1_700_000_000_000;

let ring: Ring;
beforeAll(async () => {
  ring = await createRing({ historyLimit: 2 });
});
beforeEach(async () => {
  await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, contents, plays`);
  await ring.emptyRedis();
});
afterAll(() => ring.stop());

const row = (content: string, at: number, its: Partial<HistoryRow> = {}) =>
  historyRow("alice", content, { watched_at: START + at, ...its });
const marked = (at: number) => row("x", at, { rev: 1, said: [START + 1, START + at, 1, 0] });
const unmarked = (at: number, was: number) =>
  row("x", at, { rev: 2, said: [START + at, START + was + 5, 0, 0] });

const projectRows = async (rows: HistoryRow[], cleared = new Map<UserId, number>()) =>
  void (await project(ring.viewDeps, { rows, cleared }));
const warm = (rows: HistoryRow[], floor = 0) =>
  warmUser(ring.viewDeps, alice, rows, { historyLimit: 2, floor: floor && START + floor });

async function shown(): Promise<string[]> {
  const view = await readView(ring.redis, alice);
  return view === "cold" ? ["cold"] : view.map((item) => item.content_id);
}

async function told() {
  const args = changesArguments({ since: null, limit: 500 });
  const found = foundChanges(await runScript(ring.redis, readChanges, historyKeys(alice), args));
  if (found.state !== "changes") throw new Error(found.state);
  return Object.fromEntries(found.told.map(({ content_id, progress }) => [content_id, progress]));
}

describe("a slow projection of what an item was does not bring it up again", () => {
  test("when the view learnt of it below its floor", async () => {
    await warm([row("a", 30)], 10);
    await projectRows([unmarked(1, 20)]);
    await projectRows([marked(20)]);
    expect(await shown()).toEqual(["a"]);
  });

  test("when newer items took its place", async () => {
    await warm([unmarked(1, 20), row("a", 2)]);
    await projectRows([row("b", 3)]);
    expect(await shown()).toEqual(["b", "a"]);
    await projectRows([marked(20)]);
    expect(await shown()).toEqual(["b", "a"]);
  });

  test("when the refill ended above it", async () => {
    await warm([unmarked(1, 20), row("a", 30)], 10);
    await projectRows([marked(20)]);
    expect(await shown()).toEqual(["a"]);
  });

  test("when it was cleared meanwhile, as far as it had moved back", async () => {
    await warm([unmarked(1, 20), row("a", 30)]);
    await projectRows([], new Map([[alice, START + 10]]));
    await projectRows([marked(20)]);
    expect(await shown()).toEqual(["a"]);
  });

  test("when the refill found it too far back to be shown", async () => {
    const was = await store(heartbeat("x", 1), mark("x", 20, true));
    await store(mark("x", 25, false));
    await store(heartbeat("a", 5), heartbeat("b", 6), heartbeat("c", 7));
    await ring.refill(alice);
    await ring.deps.project(was);
    expect(await shown()).toEqual(["c", "b"]);
  });

  test("when the refill found that a pause had taken it, after a clear", async () => {
    const was = await store({ ...event(1), type: "clear" }, heartbeat("x", 2));
    await store({ ...event(1), type: "pause", paused: true });
    expect((await loadHistory(ring.db, alice, 2)).shown).toEqual([]);
    await ring.refill(alice);
    await ring.deps.project(was);
    expect(await shown()).toEqual([]);
  });
});

test("what moved back behind a clear leaves the view, and is told as gone", async () => {
  await warm([marked(20), row("a", 30)]);
  await projectRows([], new Map([[alice, START + 10]]));
  expect(await shown()).toEqual(["a", "x"]);
  const { seq } = await cursorOf();
  await projectRows([unmarked(1, 20)]);
  expect(await shown()).toEqual(["a"]);
  expect((await told()).x).toBeNull();
  expect((await cursorOf()).seq).toBeGreaterThan(seq);
});

test("what moved back below the floor leaves the view with its record, and only Postgres knows it", async () => {
  await store(heartbeat("x", 1), heartbeat("b", 2), mark("x", 20, true), heartbeat("a", 30));
  await ring.db.execute(sql`INSERT INTO contents (content_id, sport) VALUES ('x', 'cricket')`);
  await ring.refill(alice);
  expect(await shown()).toEqual(["a", "x"]);
  await ring.deps.project(await store(mark("x", 25, false), heartbeat("c", 31), heartbeat("d", 32)));
  expect(await shown()).toEqual(["d", "c"]);
  expect(await auditUser({ ...ring.viewDeps, db: ring.db }, alice)).toEqual([]);
});

async function cursorOf() {
  const args = changesArguments({ since: null, limit: 500 });
  const found = foundChanges(await runScript(ring.redis, readChanges, historyKeys(alice), args));
  if (found.state === "cold") throw new Error("cold");
  return found.cursor;
}

async function store(...events: WatchEvent[]) {
  const owned = events.map((its) => ({ user_id: alice, event: its }));
  return await ring.deps.store(fold(owned), () => owned);
}

const event = (at: number) => ({ event_id: `e${at}`, occurred_at: START + at });
function mark(content: string, at: number, watched: boolean): WatchEvent {
  return { ...event(at), type: "mark", content_id: content as ContentId, watched };
}
function heartbeat(content: string, at: number): WatchEvent {
  return {
    ...event(at),
    ...{ type: "heartbeat", content_id: content as ContentId, catalog_id: null, playback_time: 60 },
    ...{ duration: 3_600, completes: false, play_id: null, device_id: null },
  };
}
