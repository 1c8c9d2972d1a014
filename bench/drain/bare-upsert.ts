import type postgres from "postgres";
import { arrayLiteral } from "../../db/postgres/batch.ts";
import type { Beat } from "./heartbeats.ts";

const ROWS_A_STATEMENT = 1_000;
const CONNECTIONS = 2;

/** A table of the same shape for the comparison. */
export async function createBareTable(sql: postgres.Sql): Promise<void> {
  await sql`DROP TABLE IF EXISTS bench_bare`;
  await sql`CREATE TABLE bench_bare (LIKE listitems INCLUDING ALL) WITH (fillfactor = 80)`;
}

/**
 * The least that a durable last-write-wins history costs: the rows go straight into Postgres, 1,000 a statement,
 * on two connections, and nobody sees, projects or acknowledges them.
 *
 * @returns rows a second.
 */
export async function bareUpsert(sql: postgres.Sql, beats: readonly Beat[]): Promise<number> {
  const start = performance.now();
  let next = 0;
  async function connection(): Promise<void> {
    while (next < beats.length) {
      const batch = beats.slice(next, next + ROWS_A_STATEMENT);
      next += ROWS_A_STATEMENT;
      await upsert(sql, batch);
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return beats.length / ((performance.now() - start) / 1_000);
}

async function upsert(sql: postgres.Sql, batch: Beat[]): Promise<void> {
  // Sorted by key, so that the two connections cannot deadlock.
  batch.sort((a, b) => compare(a.user_id, b.user_id) || compare(a.content_id, b.content_id));
  const column = <Name extends keyof Beat>(name: Name) => arrayLiteral(batch.map((beat) => beat[name]));
  await sql`
    INSERT INTO bench_bare AS l (
      user_id, playlist, content_id, catalog_id, playback_time, duration, position_at, position_event_id
    )
    SELECT user_id, 'watchhistory', content_id, catalog_id, playback_time, duration, position_at, event_id
    FROM unnest(
      ${column("user_id")}::text[], ${column("content_id")}::text[], ${column("catalog_id")}::text[],
      ${column("playback_time")}::float8[], ${column("duration")}::float8[], ${column("occurred_at")}::bigint[],
      ${column("event_id")}::text[]
    ) AS i (user_id, content_id, catalog_id, playback_time, duration, position_at, event_id)
    ON CONFLICT (user_id, playlist, content_id) DO UPDATE SET
      catalog_id = excluded.catalog_id, playback_time = excluded.playback_time, duration = excluded.duration,
      position_at = excluded.position_at, position_event_id = excluded.position_event_id, updated_at = now()
    WHERE (excluded.position_at, excluded.position_event_id) > (l.position_at, l.position_event_id)`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
