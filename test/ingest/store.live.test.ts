import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import type { Stored } from "../../ingest/drain/store.ts";
import { anyDelivery, anyOwnedEvent } from "../support/arbitraries.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { storeEvents } from "../support/store.ts";
import { until } from "../support/until.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 4 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});

const delivered = fc
  .array(anyOwnedEvent, { minLength: 1, maxLength: 20 })
  .chain((events) => fc.tuple(fc.constant(events), anyDelivery(events)));

describe("store", () => {
  test("any order, any duplication, any batch boundary ends in the same rows", async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ([events, batches]) => {
        await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
        for (const batch of batches) await storeEvents(db, batch);
        expect(await rowsShown()).toEqual(shownIn(events));
      }),
      { numRuns: 150 },
    );
  });

  test("concurrent turns end in the same rows, and no clear is escaped", async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ([events, batches]) => {
        await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
        await Promise.all(batches.map((batch) => storeEvents(db, batch)));
        expect(await rowsShown()).toEqual(shownIn(events));
      }),
      { numRuns: 100 },
    );
  });

  test("a batch that comes again changes no row, and answers with all that it touched", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOwnedEvent, { minLength: 1, maxLength: 20 }), async (events) => {
        await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
        const first = await storeEvents(db, events);
        const before = await db.execute(sql`SELECT * FROM listitems ORDER BY user_id, content_id`);
        const second = await storeEvents(db, events);
        const after = await db.execute(sql`SELECT * FROM listitems ORDER BY user_id, content_id`);
        expect([...after]).toEqual([...before]);
        expect(second.rows.filter(({ changed }) => changed)).toEqual([]);
        expect(byKey(second)).toEqual(byKey(first));
        expect(second.cleared).toEqual(first.cleared);
      }),
      { numRuns: 100 },
    );
  });

  test("a row that is written while its history is cleared does not escape the clear", async () => {
    await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
    // The row's statement has looked for clears and now waits in the middle of its insert.
    await db.execute(sql`
      CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`);
    await db.execute(sql`
      CREATE TRIGGER wait_for_test BEFORE INSERT ON listitems FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
    let writing: Promise<Stored> | undefined;
    try {
      await db.transaction(async (holder) => {
        await holder.execute(sql`SELECT pg_advisory_xact_lock(42)`);
        writing = storeEvents(db, [heartbeat(1)]);
        await until(async () => {
          const waiting = await db.execute(
            sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
          );
          return waiting.length === 1;
        });
        await storeEvents(db, [{ user_id: "alice" as UserId, event: clearAt(5) }]);
      });
      expect((await writing)?.cleared).toEqual(new Map([["alice", 5]]));
      const kept = await db.execute(sql`SELECT playback_time, position_at, deleted_at FROM listitems`);
      expect([...kept]).toEqual([{ playback_time: 0, position_at: 0, deleted_at: 5 }]);
    } finally {
      await db.execute(sql`DROP FUNCTION wait_for_test() CASCADE`);
    }
  });

  test("a list is created with its first item", async () => {
    await db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
    await storeEvents(db, [heartbeat(1)]);
    await storeEvents(db, [heartbeat(2)]);
    expect([...(await db.execute(sql`SELECT user_id, name FROM playlists`))]).toEqual([
      { user_id: "alice", name: "watchhistory" },
    ]);
  });
});

/** A row may be answered twice, by a clear and by its own change. */
function byKey({ rows }: Stored): Map<string, unknown> {
  return new Map(
    rows
      .map(({ changed: _, ...row }) => [`${row.user_id} ${row.content_id}`, row] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Everything that a reader may see, register by register. */
async function rowsShown(): Promise<unknown[]> {
  return [
    ...(await db.execute(sql`
      SELECT l.user_id, l.content_id, playback_time, position_at, position_event_id, duration, duration_at,
        catalog_id, catalog_at, completed_at, marked, marked_at, dismissed, dismissed_at
      FROM listitems l LEFT JOIN history_users u USING (user_id)
      WHERE watched_at > greatest(deleted_at, coalesce(cleared_at, 0))
      ORDER BY user_id, content_id
    `)),
  ];
}

/** The same, folded in memory at once. */
function shownIn(events: readonly OwnedEvent[]): unknown[] {
  return fold(events)
    .items.filter((item) => item.position_at > 0 || item.marked)
    .map(({ deleted_at: _, ...shown }) => shown);
}

function clearAt(occurred_at: number): WatchEvent {
  return { type: "clear", event_id: "c", occurred_at };
}

function heartbeat(at: number): OwnedEvent {
  return {
    user_id: "alice" as OwnedEvent["user_id"],
    event: {
      type: "heartbeat",
      event_id: `e${at}`,
      occurred_at: at,
      content_id: "1" as never,
      catalog_id: null,
      playback_time: at,
      duration: null,
      completes: false,
      play_id: null,
      device_id: null,
    },
  };
}
