import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { type LocalPostgres, startPostgres } from "../../db/local/postgres.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import type { OwnedEvent } from "../../ingest/drain/fold.ts";
import { storeEvents } from "../support/store.ts";
import { until } from "../support/until.ts";

/**
 * A server of its own: what a page may prune depends on the oldest transaction that Postgres knows of, also on those of
 * other tests in other databases.
 */
const dir = mkdtempSync(join(tmpdir(), "playhead-hot-"));
let server: LocalPostgres;
let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  server = await startPostgres({ dir: join(dir, "data"), settings: { fsync: "off", autovacuum: "off" } });
  await migrate(server.url);
  ({ db, close } = connect(server.url, { max: 1 }));
});
afterAll(async () => {
  await close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Enough viewers that a turn touches few rows of a page, as it does in life. */
const VIEWERS = 3_000;
const ROUNDS = 12;
const TURN = 500;

test("heartbeats stay HOT updates under a steady load", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    // Every viewer says where it is once a round, each round in another order.
    const order = Array.from({ length: VIEWERS }, (_, n) => (n * 7919 + round * 131) % VIEWERS);
    for (let at = 0; at < VIEWERS; at += TURN) {
      await storeEvents(
        db,
        order.slice(at, at + TURN).map((viewer) => heartbeat(viewer, round)),
      );
    }
  }
  const { updated, hot } = await until(async () => {
    await db.execute(sql`SELECT pg_stat_force_next_flush()`);
    const stats = await db.execute(sql`
      SELECT n_tup_upd AS updated, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'listitems'`);
    const [its] = stats as unknown as { updated: number; hot: number }[];
    return its && its.updated === VIEWERS * (ROUNDS - 1) ? its : null;
  });
  expect(hot / updated).toBeGreaterThan(0.9);
});

function heartbeat(viewer: number, round: number): OwnedEvent {
  return {
    user_id: `viewer-${viewer}` as UserId,
    event: {
      type: "heartbeat",
      event_id: `${viewer}-${round}-0c1d8f9e-2b57-4a3e-9a53`,
      occurred_at: 1_700_000_000_000 + round * 10_000,
      content_id: "football:en.1:2024-25:arsenal-fc:everton-fc" as ContentId,
      catalog_id: null,
      playback_time: round * 10,
      duration: 7200,
      completes: false,
      play_id: null,
      device_id: null,
    },
  };
}
