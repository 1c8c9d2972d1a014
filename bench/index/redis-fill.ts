import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { historyKeys } from "../../db/redis/keys.ts";
import { runScripts } from "../../ingest/redis.ts";
import { project } from "../../ingest/views/project.ts";
import type { Catalogue } from "./catalogue.ts";
import type { RedisStore } from "./redis-store.ts";
import { type Crowd, type Crowds, rowsInTime, SIZES, type Size } from "./viewers.ts";

const AT_ONCE = 1_000;
export const HISTORY_LIMIT = 2_000;

/** What one user of a size costs: everything that came into Redis with its crowd, shared evenly. */
export type Footprint = { size: Size; bytes: number; keys: number };

/**
 * Users become warm, and then their rows come. Reads do not care what is in the append-only file, and a model that
 * writes a history anew at every item would write for hours: while it is filled the file is off, and on again after.
 */
export async function fillRedis(store: RedisStore, crowds: Crowds, contents: Catalogue) {
  const { redis } = store;
  await redis.config("SET", "appendonly", "no");
  const footprints: Footprint[] = [];
  for (const size of SIZES) {
    const before = await extent(redis);
    await fillCrowd(store, crowds[size], contents);
    const after = await extent(redis);
    const users = crowds[size].viewers.length;
    footprints.push({
      size,
      bytes: (after.bytes - before.bytes) / users,
      keys: (after.keys - before.keys) / users,
    });
  }
  await redis.config("SET", "appendonly", "yes");
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info("persistence"))) await sleep(20);
  return footprints;
}

async function fillCrowd({ redis, index }: RedisStore, crowd: Crowd, { byId }: Catalogue): Promise<void> {
  const { model, scripts } = await index.current();
  const users = crowd.viewers.map(({ user }) => user);
  const rows = rowsInTime(crowd);
  const contents = async () => byId;

  const begun = users.map((user) => ({ keys: historyKeys(user), args: [randomUUID(), HISTORY_LIMIT] }));
  const tokens = sound(await runScripts(redis, scripts.beginRefill, begun)) as [token: string][];
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const some = rows.slice(at, at + AT_ONCE);
    await project(
      { redis, historyLimit: HISTORY_LIMIT, index, contents },
      { rows: some, cleared: new Map() },
    );
  }
  const ended = users.map((user, n) => ({
    keys: historyKeys(user),
    args: [tokens[n]?.[0] ?? "", 0, model.prefix(user)],
  }));
  sound(await runScripts(redis, scripts.finishRefill, ended));
}

function sound(outcomes: unknown[]): unknown[] {
  for (const outcome of outcomes) if (outcome instanceof Error) throw outcome;
  return outcomes;
}

/** Without what clients hold for a moment. */
async function extent(redis: Redis): Promise<{ bytes: number; keys: number }> {
  const info = await redis.info("memory");
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]);
  const bytes = field("used_memory") - field("mem_clients_normal") - field("mem_aof_buffer");
  return { bytes, keys: await redis.dbsize() };
}
