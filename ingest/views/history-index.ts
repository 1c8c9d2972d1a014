import { randomUUID } from "node:crypto";
import { type Redis, ReplyError } from "ioredis";
import type { Content } from "../../db/contract/contents.ts";
import type { IndexModel, ModelName } from "../../db/redis/index/model.ts";
import { INDEX_MODELS } from "../../db/redis/index/models.ts";
import { createIndex, dropIndex, type Generation, redisearch } from "../../db/redis/index/redisearch.ts";
import { searchIndex, searchIndexMaking } from "../../db/redis/keys.ts";
import { type QueryScripts, queryScripts } from "../../db/redis/query-scripts.ts";
import { packRecord } from "../../db/redis/records.ts";
import { type ViewScripts, viewScripts } from "../../db/redis/view-scripts.ts";
import type { Log } from "../observe/log.ts";

/** The model in use, and the scripts that know it. */
export type ActiveIndex = {
  model: IndexModel;
  scripts: ViewScripts & QueryScripts;
  /** The record of a content as an argument of the index, or null when it has none. */
  recordOf: (content: Content) => string | null;
  /** Users live in different slots, and a script may touch those of one only. */
  cluster: boolean;
};

/** Which index the records of histories are in, found out once and again after it was lost. */
export type HistoryIndex = { current: () => Promise<ActiveIndex>; lost: () => void };

/**
 * The index that was asked for; `auto` is what the server can do best: `redisearch` on one Redis with the module,
 * else `sorted-sets`.
 *
 * The search index is made when it is not there. Its making has a name, which stands in Redis before the index does
 * and which every view carries that was warmed for it: whatever becomes of an index, no view of an earlier one is
 * searched for in a new one.
 */
export function historyIndexOn(redis: Redis, wanted: ModelName | "auto", log: Log): HistoryIndex {
  let active: Promise<ActiveIndex> | undefined;

  async function open(): Promise<ActiveIndex> {
    const model = await modelFor(redis, wanted);
    if (model.generation !== null) await ensureSearchIndex(redis, model.generation);
    if (model.generation === 2) await failOnTimeout(redis, log);
    log.info({ model: model.index.name, wanted }, "history index");
    const scripts = { ...viewScripts(model.index), ...queryScripts(model.index) };
    return {
      model: model.index,
      scripts,
      recordOf: recordsFor(model.index),
      cluster: await isCluster(redis),
    };
  }

  return {
    async current() {
      active ??= open();
      try {
        return await active;
      } catch (error) {
        active = undefined;
        throw error;
      }
    },
    lost() {
      active = undefined;
    },
  };
}

/** A record is packed once for as long as its content is remembered, not with every heartbeat. */
function recordsFor(model: IndexModel): ActiveIndex["recordOf"] {
  const packed = new WeakMap<Content, string | null>();
  return function recordOf(content) {
    const known = packed.get(content);
    if (known !== undefined) return known;
    const record = packRecord(content);
    const argument = record && model.recordArgument(record);
    packed.set(content, argument);
    return argument;
  };
}

/** A script met no index where one should be. */
export function isIndexLost(error: unknown): boolean {
  return (
    error instanceof Error && /unknown index name|no such index|unknown (redis )?command/i.test(error.message)
  );
}

/** The generation of the server's search module; null when it has none. */
export async function searchGeneration(redis: Redis): Promise<Generation | null> {
  // Where nobody may ask there is nothing to load, either.
  const modules = (await redis.call("MODULE", "LIST").catch(unlessRefused)) as (string | number)[][];
  for (const [, name, , version] of modules) {
    if (name === "search" && Number(version) >= 20_000) return 2;
    if (name === "ft" || name === "search") return 1;
  }
  return null;
}

function unlessRefused(error: unknown): [] {
  const refused = error instanceof Error && error instanceof ReplyError;
  if (refused && /^(ERR|NOPERM)\b/.test(error.message)) return [];
  throw error;
}

/** Makes the search index, unless it is there. */
export async function ensureSearchIndex(redis: Redis, generation: Generation): Promise<void> {
  try {
    await redis.call("FT.INFO", searchIndex);
    if ((await redis.get(searchIndexMaking)) !== null) return;
  } catch (error) {
    if (!isIndexLost(error)) throw error;
  }
  await redis.set(searchIndexMaking, randomUUID());
  const [command = "", ...args] = createIndex(generation);
  await redis.call(command, ...args).catch((error: Error) => {
    if (!/already exists/i.test(error.message)) throw error;
  });
}

/** Half of the items, found in time, must not pass for all of them. Generation 1 is told when it is loaded. */
async function failOnTimeout(redis: Redis, log: Log): Promise<void> {
  try {
    await redis.call("FT.CONFIG", "SET", "ON_TIMEOUT", "FAIL");
  } catch (error) {
    log.warn({ error }, "cannot set ON_TIMEOUT FAIL: a search that takes too long may answer with a part");
  }
}

/**
 * Makes the search index anew, or removes it where another model is wanted: every view is to be warmed again from
 * here on, and until then is not believed.
 *
 * @returns the model that views are warmed for.
 */
export async function renewSearchIndex(redis: Redis, wanted: ModelName | "auto"): Promise<ModelName> {
  const { index, generation } = await modelFor(redis, wanted);
  const present = await searchGeneration(redis);
  if (present !== null) {
    await redis.del(searchIndexMaking);
    const [command = "", ...args] = dropIndex(present);
    await redis.call(command, ...args).catch((error: unknown) => {
      if (!isIndexLost(error)) throw error;
    });
  }
  if (generation !== null) await ensureSearchIndex(redis, generation);
  return index.name;
}

async function modelFor(redis: Redis, wanted: ModelName | "auto"): Promise<Chosen> {
  if (wanted === "sorted-sets" || wanted === "json-array") {
    return { index: INDEX_MODELS[wanted], generation: null };
  }
  const generation = await searchGeneration(redis);
  if (wanted === "auto" && (generation === null || (await isCluster(redis)))) {
    return { index: INDEX_MODELS["sorted-sets"], generation: null };
  }
  if (generation === null) throw new Error("HISTORY_INDEX=redisearch, and this Redis has no search module");
  return { index: redisearch(generation), generation };
}

async function isCluster(redis: Redis): Promise<boolean> {
  return /cluster_enabled:1/.test(await redis.info("cluster"));
}

type Chosen = { index: IndexModel; generation: Generation | null };
