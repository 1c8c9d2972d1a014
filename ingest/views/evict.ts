import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { endRemoval, evictScript } from "../../db/redis/evict-scripts.ts";
import { INDEX_MODELS } from "../../db/redis/index/models.ts";
import { historyKeys, searchIndex } from "../../db/redis/keys.ts";
import { runScript } from "../redis.ts";

/** The user is cold from here on: the next read refills. @returns how many keys and records there were. */
export async function evict(redis: Redis, user: UserId): Promise<number> {
  try {
    const args = MODELS.flatMap(({ name, prefix }) => [name, prefix(user)]);
    return (await runScript(redis, evictUser, historyKeys(user), args)) as number;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return await removeKeys(redis, user);
  }
}

/**
 * Somebody wrote into the view, so that it cannot say what belongs to it: looks at every key there is. Meanwhile the
 * state is something that nobody can read, so that no refill begins of which half is removed again. A crash leaves it
 * so, and the next read starts over.
 */
async function removeKeys(redis: Redis, user: UserId): Promise<number> {
  const [stateKey, ...viewKeys] = historyKeys(user);
  const name = randomUUID();
  await redis.set(stateKey, name);
  const own = [...viewKeys, ...MODELS.map(({ prefix }) => prefix(user))];
  let removed = 0;
  for await (const keys of redis.scanStream({ match: `wh:*{${user}}*`, count: 1_000 })) {
    const theirs = (keys as string[]).filter((key) => own.some((prefix) => key.startsWith(prefix)));
    for (const key of theirs) await redis.call("FT.DEL", searchIndex, key, "DD").catch(() => {});
    if (theirs.length > 0) removed += await redis.unlink(...theirs);
  }
  await runScript(redis, endRemoval, [stateKey], [name]);
  return removed;
}

const MODELS = Object.values(INDEX_MODELS);
const evictUser = evictScript(MODELS);

/** The keys of a view hold something else than what we put there. */
export function isUnreadable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.startsWith("WRONGTYPE") || /^ERR .*user_script/.test(error.message);
}
