import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { isWithin, pausesOf } from "../../db/contract/pauses.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import type { OwnedEvent } from "../../ingest/drain/fold.ts";
import type { Stored } from "../../ingest/drain/store.ts";
import { anyDelivery, anyEvent, anyPause } from "../support/arbitraries.ts";
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

const user_id = "alice" as UserId;
const switches = fc.array(anyPause, { minLength: 1, maxLength: 4 });
const watched = fc.array(anyEvent, { minLength: 1, maxLength: 16 });

describe("case 22: what happens in a pause", () => {
  test("is as if it never happened, once the pause is known", async () => {
    await fc.assert(
      fc.asyncProperty(switches, watched.chain(anyDeliveryOf), async (pauses, [events, batches]) => {
        const kept = events.filter((event) => !isPaused(pauses, event));
        await empty();
        await storeEvents(db, owned(kept));
        const expected = await everythingShown();

        await empty();
        await storeEvents(db, owned(pauses));
        for (const batch of batches) await storeEvents(db, owned(batch));
        expect(await everythingShown()).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });

  test("is nowhere in the end, whenever the pause becomes known, and turns that race with it", async () => {
    const delivered = fc.tuple(switches, watched).chain(([pauses, events]) => {
      return fc.tuple(fc.constant(pauses), anyDelivery<WatchEvent>([...pauses, ...events]));
    });
    await fc.assert(
      fc.asyncProperty(delivered, fc.boolean(), async ([pauses, batches], atOnce) => {
        await empty();
        const storing = batches.map((batch) => () => storeEvents(db, owned(batch)));
        if (atOnce) await Promise.all(storing.map((store) => store()));
        else for (const store of storing) await store();

        const stretches = pausesOf(switchesOf(pauses));
        const { rows, plays } = await everything();
        for (const row of rows) {
          for (const [name, value] of Object.entries(row)) {
            if (name.endsWith("_at") && name !== "deleted_at" && name !== "watched_at" && Number(value) > 0) {
              expect([name, isWithin(stretches, Number(value))]).toEqual([name, false]);
            }
          }
        }
        for (const { started_at } of plays) expect(isWithin(stretches, Number(started_at))).toBe(false);
      }),
      { numRuns: 80 },
    );
  });

  test("a row that is written while its history is paused does not escape the pause", async () => {
    // The row's statement has looked for pauses and now waits in the middle of its insert.
    await db.execute(sql`
      CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`);
    await db.execute(sql`
      CREATE TRIGGER wait_for_test BEFORE INSERT ON listitems FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
    let writing: Promise<Stored> | undefined;
    try {
      await db.transaction(async (holder) => {
        await holder.execute(sql`SELECT pg_advisory_xact_lock(42)`);
        writing = storeEvents(db, owned([beat(7)]));
        await until(async () => {
          const waiting = await db.execute(
            sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
          );
          return waiting.length === 1;
        });
        await storeEvents(db, owned([pauseAt(5)]));
      });
      // The row is told as it is now, so that no view shows it.
      const told = (await writing)?.rows.toSorted((a, b) => a.rev - b.rev).at(-1);
      expect(told).toMatchObject({ content_id: "1", watched_at: 0 });
      expect((await everything()).rows).toMatchObject([{ position_at: 0, playback_time: 0, deleted_at: 0 }]);
    } finally {
      await db.execute(sql`DROP FUNCTION wait_for_test() CASCADE`);
    }
  });

  test("a pause that comes twice in one batch is one: another that races with it is noticed by their number", async () => {
    await storeEvents(db, owned([pauseAt(11), pauseAt(11)]));
    const [marks] = await db.execute(sql`SELECT paused_at FROM history_users`);
    expect(marks?.paused_at).toHaveLength(1);
  });

  test("what a late pause took away is told again when it comes again", async () => {
    await storeEvents(db, owned([beat(7)]));
    const first = await storeEvents(db, owned([pauseAt(5)]));
    const again = await storeEvents(db, owned([pauseAt(5)]));
    expect(first.rows).toMatchObject([{ content_id: "1", watched_at: 0 }]);
    expect(again.rows).toMatchObject([{ content_id: "1", watched_at: 0 }]);
  });

  test("can still be forgotten, and what is forgotten before it stays forgotten", async () => {
    await storeEvents(db, owned([beat(3), pauseAt(5)]));
    await storeEvents(
      db,
      owned([{ type: "forget", event_id: "f", occurred_at: 7, content_id: "1" as never }]),
    );
    expect((await everything()).rows).toMatchObject([{ position_at: 0, deleted_at: 7 }]);
  });

  test("another user's history goes on", async () => {
    await storeEvents(db, owned([pauseAt(5)]));
    await storeEvents(db, [{ user_id: "Alice" as UserId, event: beat(7) }, ...owned([beat(7)])]);
    expect((await everything()).rows).toMatchObject([{ user_id: "Alice", position_at: 7 }]);
  });
});

function anyDeliveryOf(events: WatchEvent[]): fc.Arbitrary<[WatchEvent[], WatchEvent[][]]> {
  return fc.tuple(fc.constant(events), anyDelivery(events));
}

function owned(events: readonly WatchEvent[]): OwnedEvent[] {
  return events.map((event) => ({ user_id, event }));
}

function switchesOf(pauses: readonly { occurred_at: number; paused: boolean }[]) {
  const at = (paused: boolean) =>
    pauses.filter((its) => its.paused === paused).map(({ occurred_at }) => occurred_at);
  return { paused_at: at(true), resumed_at: at(false) };
}

/** To forget is possible at any time. */
function isPaused(pauses: Parameters<typeof switchesOf>[0], { type, occurred_at }: WatchEvent): boolean {
  if (type === "forget" || type === "clear") return false;
  return isWithin(pausesOf(switchesOf(pauses)), occurred_at);
}

async function everything() {
  const rows = await db.execute(sql`
    SELECT user_id, content_id, playback_time, position_at, position_event_id, duration, duration_at, catalog_id,
      catalog_at, completed_at, marked, marked_at, dismissed, dismissed_at, deleted_at, watched_at
    FROM listitems ORDER BY user_id, content_id`);
  const plays = await db.execute(sql`
    SELECT user_id, content_id, play_id, started_at, completed_at, reached FROM plays
    ORDER BY user_id, content_id, play_id`);
  const rollups = await db.execute(sql`
    SELECT content_id, measure, count FROM content_rollups WHERE count <> 0 ORDER BY content_id, measure`);
  return { rows: [...rows], plays: [...plays], rollups: [...rollups] };
}

/** What a clear or a forget left of a row is nobody's business. */
async function everythingShown() {
  const { rows, plays, rollups } = await everything();
  const [user] = await db.execute(sql`SELECT cleared_at FROM history_users`);
  const shown = rows
    .filter((row) => Number(row.watched_at) > Math.max(Number(row.deleted_at), Number(user?.cleared_at ?? 0)))
    .map(({ deleted_at: _, ...row }) => row);
  return { rows: shown, plays, rollups };
}

async function empty(): Promise<void> {
  await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
}

function pauseAt(occurred_at: number): WatchEvent {
  return { type: "pause", event_id: "p", occurred_at, paused: true };
}

function beat(occurred_at: number): WatchEvent {
  return {
    ...{ type: "heartbeat", event_id: `e${occurred_at}`, occurred_at, content_id: "1" as never },
    ...{ catalog_id: null, playback_time: occurred_at, duration: null, completes: false },
    ...{ play_id: null, device_id: null },
  };
}
