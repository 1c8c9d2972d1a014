import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startRedis } from "../../db/local/redis.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { dataDir, type Env } from "./paths.ts";

/** Where `npm start` says which Redis it brought up. */
export function redisPlaceFile(dir: string): string {
  return join(dir, "redis.url");
}

/**
 * Works on the Redis that is meant: the one of REDIS_URL, or else the embedded one, which is started for the
 * moment unless `npm start` has it running.
 */
export async function withRedis<T>(env: Env, work: (url: string) => Promise<T>): Promise<T> {
  if (env.REDIS_URL) return await work(env.REDIS_URL);
  const dir = dataDir(env);
  const running = placeIn(dir);
  if (running !== undefined && (await answers(running))) return await work(running);

  const own = await startRedis({ dir: join(dir, "redis") });
  try {
    return await work(own.url);
  } finally {
    await own.stop();
  }
}

function placeIn(dir: string): string | undefined {
  try {
    return readFileSync(redisPlaceFile(dir), "utf8").trim();
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  const redis = connectRedis(url);
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
