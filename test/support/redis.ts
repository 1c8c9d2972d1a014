import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalRedis, type RedisOptions, startRedis } from "../../db/local/redis.ts";

/**
 * A Redis for one test file: its own process, port and directory, so nothing is shared with any
 * other test. `stop` removes the directory; `kill` leaves it for `restart`.
 */
export async function startTestRedis(options: Omit<RedisOptions, "dir"> = {}): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), "playhead-redis-"));
  try {
    return await startIn(dir, options);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(dir: string, options: Omit<RedisOptions, "dir">): Promise<TestRedis> {
  const redis = await startRedis({ ...options, dir });
  return {
    ...redis,
    dir,
    restart: async () => {
      await redis.kill();
      return await startIn(dir, { ...options, port: redis.port });
    },
    stop: async () => {
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type TestRedis = LocalRedis & {
  dir: string;
  /** Kills this one, if it still runs, and starts another on the same port and directory. */
  restart(): Promise<TestRedis>;
};
