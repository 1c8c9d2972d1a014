import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { readEnvironment } from "../../db/environment.ts";
import { startRedis } from "../../db/local/redis.ts";
import { Environment } from "../../ingest/config.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { dataDir, type Env } from "./paths.ts";
import { messageOf } from "./run.ts";

const Wanted = z.object({ REDIS_URL: Environment.shape.REDIS_URL.optional() });

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
  const { REDIS_URL } = readEnvironment(Wanted, env);
  if (REDIS_URL) return await work(REDIS_URL);
  const dir = dataDir(env);
  const running = remembered(dir);
  if (running !== undefined && (await servesFrom(running, redisDir(dir)))) return await work(running);

  const own = await startOwn(dir).catch((cause: unknown) => {
    throw new Error(`REDIS_URL is not set, and here no Redis can be started: ${messageOf(cause)}`, { cause });
  });
  try {
    return await work(own.url);
  } finally {
    await own.stop();
  }
}

async function startOwn(dir: string) {
  mkdirSync(dir, { recursive: true });
  return await startRedis({ dir: redisDir(dir) });
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
