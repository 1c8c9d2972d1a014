import type { Redis } from "ioredis";
import { startRedis } from "../../db/local/redis.ts";
import { readHistory } from "../../db/redis/history-scripts.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import { searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundHistory, foundNarrowed } from "../../db/redis/replies.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { type HistoryIndex, historyIndexOn } from "../../ingest/views/history-index.ts";
import type { Ask } from "./shapes.ts";
import type { Found } from "./side.ts";

export const LIMIT = 50;
/** A script of `json-array` that loads very long histories may take longer than ingest would wait. */
const TIMEOUT_MS = 60_000;

export type RedisStore = {
  model: ModelName;
  redis: Redis;
  index: HistoryIndex;
  /** What `HISTORY_INDEX=auto` makes of this server. */
  auto: ModelName;
  stop: () => Promise<void>;
};

/** One model in a Redis of its own, set up as in production. */
export async function startStore(model: ModelName, dir: string): Promise<RedisStore> {
  const server = await startRedis({ dir, search: model === "redisearch" });
  const redis = connectRedis(server.url, { timeoutMs: TIMEOUT_MS });
  const stop = async () => {
    redis.disconnect();
    await server.stop();
  };
  try {
    const auto = await historyIndexOn(redis, "auto", createLog("silent")).current();
    const index = historyIndexOn(redis, model, createLog("silent"));
    await index.current();
    return { model, redis, index, auto: auto.model.name, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As ingest reads it: one round trip, and what comes back is parsed. */
export async function askRedis(
  { redis, index }: RedisStore,
  { user, filter }: Ask,
): Promise<readonly Found[]> {
  const keys = historyKeys(user);
  if (filter === null) {
    const seen = foundHistory(await runScript(redis, readHistory, keys, [LIMIT, "", "", ""]));
    if (seen.state !== "page") throw new Error(`${user} is ${seen.state}`);
    return seen.found;
  }
  const { model, scripts } = await index.current();
  const args = searchArguments(model, user, { limit: LIMIT, after: null, filter });
  const seen = foundNarrowed(await runScript(redis, scripts.search, keys, args));
  if (seen.state !== "page") throw new Error(`${user} is ${seen.state}`);
  return seen.found;
}
