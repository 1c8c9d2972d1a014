import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import { startPostgres } from "../../db/local/postgres.ts";
import { startRedis } from "../../db/local/redis.ts";
import { migrate } from "../../db/postgres/migrate.ts";

/**
 * Real servers for one run of the bench, as `npm start` runs them: Postgres with its own defaults (fsync on),
 * Redis with `appendonly yes` and `appendfsync always`. They and their data go when the run ends.
 */
export async function startWorld(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "playhead-bench-"));
  const stops: (() => Promise<unknown>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const pg = await startPostgres({ dir: join(dir, "postgres") });
    stops.push(() => pg.stop());
    const own = await startRedis({ dir: join(dir, "redis") });
    stops.push(() => own.stop());
    await migrate(pg.url);
    const sql = postgres(pg.url, { max: 2, onnotice: () => {} });
    stops.push(() => sql.end({ timeout: 1 }));
    const redis = new Redis(own.url);
    stops.push(async () => redis.disconnect());
    return { postgresUrl: pg.url, redisUrl: own.url, dir, sql, redis, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export type World = {
  postgresUrl: string;
  redisUrl: string;
  /** Gone when the run ends. */
  dir: string;
  /** Two connections: what the comparisons work on. */
  sql: postgres.Sql;
  redis: Redis;
  stop(): Promise<void>;
};

/** Nothing of an earlier experiment is left. */
export async function emptyWorld({ sql, redis }: World): Promise<void> {
  await sql`TRUNCATE listitems, playlists, history_users, contents, content_changes`;
  await redis.flushall();
}

/** What was written before is on disk, so that no side pays for another's dust. */
export async function settleDust({ sql, redis }: World): Promise<void> {
  await sql`CHECKPOINT`;
  while (/aof_rewrite_in_progress:1/.test(await redis.info("persistence"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
