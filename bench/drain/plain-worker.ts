import type { Redis } from "ioredis";
import type postgres from "postgres";
import type { World } from "../servers/world.ts";
import { type Beat, entryOf } from "./heartbeats.ts";

const MESSAGES_A_BATCH = 100;
const STREAM = "bench:plain";
const GROUP = "plain";

/** The plain worker has tables of the same shape as ours, and a stream of its own. */
export async function createPlainTables(sql: postgres.Sql): Promise<void> {
  await sql`DROP TABLE IF EXISTS bench_plain_items, bench_plain_playlists`;
  await sql`CREATE TABLE bench_plain_items (LIKE listitems INCLUDING ALL) WITH (fillfactor = 80)`;
  await sql`CREATE TABLE bench_plain_playlists (LIKE playlists INCLUDING ALL)`;
}

/**
 * The worker that is written first everywhere: it takes 100 messages, opens one transaction, gets or creates the
 * playlist and upserts the item, a message at a time, and then writes each message to the cache. To be fair to it,
 * the cache's commands of a batch leave in one round trip.
 *
 * @returns messages a second.
 */
export async function plainWorker({ sql, redis }: World, beats: readonly Beat[]): Promise<number> {
  await fillPlainStream(redis, beats);
  const start = performance.now();
  for (;;) {
    const messages = await takeMessages(redis);
    if (messages.length === 0) return beats.length / ((performance.now() - start) / 1_000);
    await sql.begin(async (tx) => {
      for (const { beat } of messages) await storeMessage(tx, beat);
    });
    const cache = redis.pipeline();
    for (const { beat } of messages) {
      cache.hset(`bench:plain:progress:${beat.user_id}`, beat.content_id, JSON.stringify(beat));
      cache.zadd(`bench:plain:order:${beat.user_id}`, beat.occurred_at, beat.content_id);
    }
    await cache.exec();
    const ids = messages.map(({ id }) => id);
    await redis
      .pipeline()
      .xack(STREAM, GROUP, ...ids)
      .xdel(STREAM, ...ids)
      .exec();
  }
}

async function storeMessage(tx: postgres.TransactionSql, beat: Beat): Promise<void> {
  const { user_id, content_id, catalog_id, playback_time, duration, occurred_at, event_id } = beat;
  const found =
    await tx`SELECT name FROM bench_plain_playlists WHERE user_id = ${user_id} AND name = 'watchhistory'`;
  if (found.length === 0) {
    await tx`INSERT INTO bench_plain_playlists (user_id, name) VALUES (${user_id}, 'watchhistory')
      ON CONFLICT DO NOTHING`;
  }
  await tx`
    INSERT INTO bench_plain_items AS l (
      user_id, playlist, content_id, catalog_id, playback_time, duration, position_at, position_event_id
    )
    VALUES (
      ${user_id}, 'watchhistory', ${content_id}, ${catalog_id}, ${playback_time}, ${duration}, ${occurred_at},
      ${event_id}
    )
    ON CONFLICT (user_id, playlist, content_id) DO UPDATE SET
      catalog_id = excluded.catalog_id, playback_time = excluded.playback_time, duration = excluded.duration,
      position_at = excluded.position_at, position_event_id = excluded.position_event_id, updated_at = now()
    WHERE excluded.position_at > l.position_at`;
}

async function fillPlainStream(redis: Redis, beats: readonly Beat[]): Promise<void> {
  await redis.xgroup("CREATE", STREAM, GROUP, "0", "MKSTREAM").catch(() => {});
  const filling = redis.pipeline();
  for (const beat of beats)
    filling.xadd(STREAM, "*", "entry", JSON.stringify(entryOf(beat)), "beat", JSON.stringify(beat));
  await filling.exec();
}

async function takeMessages(redis: Redis): Promise<{ id: string; beat: Beat }[]> {
  const reply = (await redis.call(
    "XREADGROUP",
    ...["GROUP", GROUP, "bench", "COUNT", MESSAGES_A_BATCH, "STREAMS", STREAM, ">"],
  )) as [string, [string, string[]][]][] | null;
  return (reply ?? []).flatMap(([, entries]) =>
    entries.map(([id, fields]) => ({ id, beat: JSON.parse(fields[3] ?? "") as Beat })),
  );
}
