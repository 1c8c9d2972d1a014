import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Completion } from "../../db/contract/cloud-events.ts";
import type { Heartbeat, WatchEvent } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import { knownPlays } from "../../ingest/drain/known-plays.ts";
import { anyDelivery, anyOwnedEvent } from "../support/arbitraries.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { storeEvents } from "../support/store.ts";
import { until } from "../support/until.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 6 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});
beforeEach(empty);

const delivered = fc
  .array(anyOwnedEvent, { minLength: 1, maxLength: 20 })
  .chain((events) => fc.tuple(fc.constant(events), anyDelivery(events)));

describe("plays", () => {
  test("any order, any duplication, any batch boundary ends in the same plays, counted once", async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ([events, batches]) => {
        await empty();
        const known = knownPlays(Date.now, 3);
        for (const batch of batches) await storeEvents(db, batch, known);
        const { plays, rollups } = playsOf(events);
        expect(await storedPlays()).toEqual(plays);
        expect(await storedRollups()).toEqual(rollups);
      }),
      { numRuns: 200 },
    );
  });

  test("concurrent turns end in the same plays, counted once", async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ([events, batches]) => {
        await empty();
        const processes = [knownPlays(Date.now), knownPlays(Date.now)];
        await Promise.all(batches.map((batch, n) => storeEvents(db, batch, processes[n % 2])));
        const { plays, rollups } = playsOf(events);
        expect(await storedPlays()).toEqual(plays);
        expect(await storedRollups()).toEqual(rollups);
      }),
      { numRuns: 150 },
    );
  });

  test("case 10: one completion a play, however many heartbeats follow", async () => {
    const told: Completion[] = [];
    const beats = [500, 580, 590, 596, 596].map((playback_time, n) => beat(n + 1, { playback_time }));
    for (const event of beats) told.push(...(await storeEvents(db, [event])).completions);
    expect(told).toEqual([
      { user_id: "alice", content_id: "film", play_id: "p1", started_at: 1, completed_at: 2 },
    ]);
    expect(await rollupsOf("film")).toMatchObject({ plays: 1, completions: 1, viewers: 1 });
  });

  test("a completion that is stored and not told yet is told when its batch comes again", async () => {
    const batch = [beat(1, { playback_time: 590 })];
    const [first, again] = [await storeEvents(db, batch), await storeEvents(db, batch)];
    expect(first.completions).toHaveLength(1);
    expect(again.completions).toEqual(first.completions);
  });

  test("a play that is known is not looked up again, until there is news of it", async () => {
    let now = 0;
    let since = 0;
    const known = knownPlays(() => now);
    const looks = (event: ReturnType<typeof beat>) => known.news(fold([event]).plays, () => since).length > 0;
    await storeEvents(db, [beat(10, { playback_time: 300 })], known);
    expect(looks(beat(20, { playback_time: 310 }))).toBe(false);
    expect(looks(beat(20, { playback_time: 330 }))).toBe(true);
    expect(looks(beat(9, { playback_time: 300 }))).toBe(true);
    expect(looks(beat(20, { playback_time: 1, completes: true }))).toBe(true);
    expect(looks(beat(20, { duration: null, playback_time: 1 }))).toBe(true);
    expect(looks(beat(20, { play_id: "p2" }))).toBe(true);
    await storeEvents(db, [beat(20, { playback_time: 590 })], known);
    expect(looks(beat(20, { playback_time: 590 }))).toBe(true);
    expect(looks(beat(21, { playback_time: 590 }))).toBe(false);
    since = 15; // erased meanwhile, and accepted again: of the plays from before there is nothing
    expect(looks(beat(21, { playback_time: 590 }))).toBe(true);
    since = 0;
    now = 600_001;
    expect(looks(beat(21, { playback_time: 590 }))).toBe(true);
  });

  test("case 11: a rewatch is a new play; of the first one the first completion is kept", async () => {
    await storeEvents(db, [beat(1, { playback_time: 590 }), beat(2, { playback_time: 595 })]);
    const again = await storeEvents(db, [beat(10, { play_id: "p2", playback_time: 40 })]);
    expect(again.completions).toEqual([]);
    await storeEvents(db, [beat(20, { play_id: "p2", playback_time: 590 })]);
    expect(await storedPlays()).toMatchObject([
      { play_id: "p1", started_at: 1, completed_at: 1 },
      { play_id: "p2", started_at: 10, completed_at: 20 },
    ]);
    expect(await rollupsOf("film")).toEqual({ plays: 2, completions: 2, viewers: 1, "reached:19": 2 });
  });

  test("what names no play is one play a device, content and UTC day", async () => {
    const day = Date.UTC(2026, 0, 31, 12);
    const at = (hours: number, device_id: string | null) =>
      beat(day + hours * 3_600_000, { play_id: null, device_id });
    await storeEvents(db, [at(0, "tv"), at(1, "tv"), at(1, "phone"), at(12, "tv"), at(2, null)]);
    expect((await storedPlays()).map(({ play_id }) => play_id)).toEqual([
      "/2026-01-31/",
      "/2026-01-31/phone",
      "/2026-01-31/tv",
      "/2026-02-01/tv",
    ]);
  });

  test.each([
    [0, 600, 0],
    [29.9, 600, 0],
    [30, 600, 1],
    [599.9, 600, 19],
    [600, 600, 19],
    [9_000, 600, 19],
  ])("%d of %d seconds are twentieth %d", async (playback_time, duration, reached) => {
    await storeEvents(db, [beat(1, { playback_time, duration, completes: false })]);
    expect(await storedPlays()).toMatchObject([{ reached }]);
  });

  test("a duration that only the catalogue knows will do; none will not", async () => {
    await db.execute(sql`INSERT INTO contents (content_id, duration) VALUES ('known', 100), ('zero', 0)`);
    const of = (content_id: string) =>
      beat(1, { content_id: content_id as ContentId, playback_time: 52, duration: null });
    await storeEvents(db, [of("known"), of("zero"), of("unknown")]);
    expect((await storedPlays()).map(({ content_id, reached }) => [content_id, reached])).toEqual([
      ["known", 10],
      ["unknown", null],
      ["zero", null],
    ]);
  });

  test("who has two plays of a content is one viewer, until both are forgotten", async () => {
    await storeEvents(db, [beat(1), beat(2, { play_id: "p2" }), { ...beat(3), user_id: "bob" as UserId }]);
    expect(await rollupsOf("film")).toMatchObject({ plays: 3, viewers: 2 });
    await storeEvents(db, [{ user_id: "alice" as UserId, event: clearAt(1) }]);
    expect(await rollupsOf("film")).toMatchObject({ plays: 2, viewers: 2 });
    await storeEvents(db, [forget(2)]);
    expect(await rollupsOf("film")).toMatchObject({ plays: 1, viewers: 1 });
  });
});

describe("of a clear and a turn that race", () => {
  /** The turn waits in the middle of its insert into `table` while something else happens. */
  async function meanwhile(table: string, turn: OwnedEvent[], work: () => Promise<unknown>): Promise<void> {
    await db.execute(sql`
      CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`);
    await db.execute(sql`
      CREATE TRIGGER wait_for_test BEFORE INSERT ON ${sql.identifier(table)}
        FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
    let under: Promise<unknown>[] = [];
    try {
      await db.transaction(async (holder) => {
        await holder.execute(sql`SELECT pg_advisory_xact_lock(42)`);
        under = [storeEvents(db, turn)];
        await until(async () => (await waiting("advisory")) === 1);
        let over = false;
        under.push(
          work().then(() => {
            over = true;
          }),
        );
        await until(async () => over || (await waiting("transactionid")) === 1);
      });
      await Promise.all(under);
    } finally {
      await db.execute(sql`DROP FUNCTION wait_for_test() CASCADE`);
    }
  }

  async function waiting(locktype: string): Promise<number> {
    return (await db.execute(sql`SELECT 1 FROM pg_locks WHERE locktype = ${locktype} AND NOT granted`))
      .length;
  }

  test("no play escapes the clear, also of an item that goes on", async () => {
    await meanwhile("listitems", [beat(3), beat(11, { play_id: "p2" })], () =>
      storeEvents(db, [{ user_id: "alice" as UserId, event: clearAt(7) }]),
    );
    expect(await storedPlays()).toMatchObject([
      { play_id: "p1", started_at: 0 },
      { play_id: "p2", started_at: 11 },
    ]);
    expect(await rollupsOf("film")).toMatchObject({ plays: 1, viewers: 1 });
  });

  test("who goes on with another play stays a viewer", async () => {
    await storeEvents(db, [beat(3)]);
    await meanwhile("plays", [beat(11, { play_id: "p2" })], () =>
      storeEvents(db, [{ user_id: "alice" as UserId, event: clearAt(7) }]),
    );
    expect(await rollupsOf("film")).toMatchObject({ plays: 1, viewers: 1 });
  });
});

test("positions and durations that no quotient can hold are no poison", async () => {
  await db.execute(sql`INSERT INTO contents (content_id, duration) VALUES ('film', 1e8), ('blink', 1e-300)`);
  const of = (content_id: string, playback_time: number) =>
    beat(1, { content_id: content_id as ContentId, playback_time, duration: null });
  await storeEvents(db, [of("film", 5e-324), of("blink", 1e8)]);
  expect((await storedPlays()).map(({ content_id, reached }) => [content_id, reached])).toEqual([
    ["blink", null],
    ["film", 0],
  ]);
  await db.execute(sql`SELECT * FROM watch_history`);
});

/** What all of it must come to: the plays, and their counts by content. It shares no code with the service. */
function playsOf(events: readonly OwnedEvent[]) {
  const plays = new Map<string, Play>();
  const masks = new Map<string, number>();
  for (const { user_id, event } of events) {
    const key =
      event.type === "clear" ? user_id : event.type === "forget" ? `${user_id} ${event.content_id}` : "";
    if (key) masks.set(key, Math.max(masks.get(key) ?? 0, event.occurred_at));
    if (event.type !== "heartbeat") continue;
    const { content_id, occurred_at } = event;
    const play_id = event.play_id ?? `/${new Date(occurred_at).toISOString().slice(0, 10)}/`;
    const id = `${user_id} ${content_id} ${play_id}`;
    const play = plays.get(id) ?? { user_id, content_id, play_id, starts: [], ends: [], shares: [] };
    plays.set(id, play);
    play.starts.push(occurred_at);
    if (event.completes) play.ends.push(occurred_at);
    if (event.duration !== null) play.shares.push(event.playback_time / event.duration);
  }
  const known = [...plays.values()].map(({ user_id, content_id, play_id, starts, ends, shares }) => {
    const mask = Math.max(masks.get(user_id) ?? 0, masks.get(`${user_id} ${content_id}`) ?? 0);
    const started_at = Math.min(...starts);
    if (started_at <= mask) return { user_id, content_id, play_id, ...FORGOTTEN };
    const completed_at = ends.length > 0 ? Math.min(...ends) : null;
    const reached = shares.length > 0 ? Math.min(19, Math.floor(Math.max(...shares) * 20)) : null;
    return { user_id, content_id, play_id, started_at, completed_at, reached };
  });
  const rollups: Record<string, number> = {};
  const count = (content: string, measure: string) => {
    rollups[`${content} ${measure}`] = (rollups[`${content} ${measure}`] ?? 0) + 1;
  };
  const live = known.filter(({ started_at }) => started_at > 0);
  for (const { content_id, completed_at, reached } of live) {
    count(content_id, "plays");
    if (completed_at !== null) count(content_id, "completions");
    if (reached !== null) count(content_id, `reached:${reached}`);
  }
  for (const pair of new Set(live.map(({ user_id, content_id }) => `${user_id} ${content_id}`))) {
    count(pair.slice(pair.indexOf(" ") + 1), "viewers");
  }
  const order = (a: { [key: string]: unknown }, b: { [key: string]: unknown }) =>
    keyOf(a) < keyOf(b) ? -1 : 1;
  return { plays: known.sort(order), rollups };
}

const FORGOTTEN = { started_at: 0, completed_at: null, reached: null };

function keyOf({ user_id, content_id, play_id }: { [key: string]: unknown }): string {
  return `${user_id} ${content_id} ${play_id}`;
}

async function storedPlays(): Promise<Record<string, unknown>[]> {
  const rows = await db.execute(sql`
    SELECT user_id, content_id, play_id, started_at, completed_at, reached FROM plays
    ORDER BY user_id, content_id, play_id`);
  return [...rows];
}

async function storedRollups(): Promise<Record<string, number>> {
  const rows = await db.execute(sql`SELECT content_id, measure, count FROM content_rollups WHERE count <> 0`);
  return Object.fromEntries([...rows].map((row) => [`${row.content_id} ${row.measure}`, Number(row.count)]));
}

async function rollupsOf(content: string): Promise<Record<string, number>> {
  const all = Object.entries(await storedRollups()).filter(([key]) => key.startsWith(`${content} `));
  return Object.fromEntries(all.map(([key, count]) => [key.slice(content.length + 1), count]));
}

async function empty(): Promise<void> {
  await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups, contents`);
}

function beat(occurred_at: number, its: Partial<Heartbeat> = {}): OwnedEvent & { event: Heartbeat } {
  const { playback_time = 100, duration = 600 } = its;
  const event: Heartbeat = {
    type: "heartbeat",
    event_id: `e${occurred_at}`,
    occurred_at,
    content_id: "film" as ContentId,
    catalog_id: null,
    playback_time,
    duration,
    completes: duration !== null && playback_time / duration > 0.95,
    play_id: "p1",
    device_id: null,
    ...its,
  };
  return { user_id: "alice" as UserId, event };
}

function forget(occurred_at: number): OwnedEvent {
  const event: WatchEvent = {
    ...{ type: "forget", event_id: "f" },
    ...{ occurred_at, content_id: "film" as ContentId },
  };
  return { user_id: "alice" as UserId, event };
}

function clearAt(occurred_at: number): WatchEvent {
  return { type: "clear", event_id: "c", occurred_at };
}

type Play = {
  user_id: string;
  content_id: string;
  play_id: string;
  starts: number[];
  ends: number[];
  shares: number[];
};
