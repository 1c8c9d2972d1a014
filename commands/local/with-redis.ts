import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRedis } from "../../db/local/redis.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { dataDir, type Env } from "./paths.ts";

/** Where the embedded Redis keeps its data. */
export function redisDir(dir: string): string {
  return join(dir, "redis");
}

/** Lets the other commands find the embedded Redis while it runs. */
export function rememberRedis(dir: string, url: string): void {
  writeFileSync(placeFile(dir), url, { mode: 0o600 });
}

/**
 * Works on the Redis that is meant: the one of REDIS_URL, or else the embedded one, which is started for the
 * moment unless `npm start` has it running.
 */
export async function withRedis<T>(env: Env, work: (url: string) => Promise<T>): Promise<T> {
  if (env.REDIS_URL) return await work(env.REDIS_URL);
  const dir = dataDir(env);
  mkdirSync(dir, { recursive: true });
  const running = remembered(dir);
  if (running !== undefined && (await servesFrom(running, redisDir(dir)))) return await work(running);

  const own = await startRedis({ dir: redisDir(dir) });
  try {
    return await work(own.url);
  } finally {
    await own.stop();
  }
}

function placeFile(dir: string): string {
  return join(dir, "redis.url");
}

function remembered(dir: string): string | undefined {
  try {
    return readFileSync(placeFile(dir), "utf8");
  } catch {
    return undefined;
  }
}

/** The address may be of an earlier run, and its port by now another server's. */
async function servesFrom(url: string, dir: string): Promise<boolean> {
  const redis = connectRedis(url);
  try {
    const [, its] = (await redis.config("GET", "dir")) as string[];
    return its === realpathSync(dir);
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
