import { randomUUID } from "node:crypto";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import { evict } from "./evict.ts";
import { isIndexLost } from "./history-index.ts";
import { type LoadedHistory, loadHistory } from "./load.ts";
import { type ProjectDeps, project } from "./project.ts";
import type { WarmSet } from "./warm-set.ts";

/** Evictions in the middle of a refill that are put up with before the user stays cold for now. */
const ATTEMPTS = 5;
const REDIS_AWAY = "refill: Redis is away, the answer comes from Postgres";

/**
 * Warms cold users, one load for everybody who asks at the same time, and answers with what was loaded.
 *
 * Redis being away does not matter to the answer: it comes from Postgres. Of who was erased there is nothing, and nothing
 * is left in Redis.
 */
export function refiller(deps: RefillDeps): (user: UserId) => Promise<LoadedHistory> {
  const underway = new Map<UserId, Promise<LoadedHistory>>();
  return function refill(user) {
    const shared = underway.get(user);
    if (shared !== undefined) return shared;
    const own = refillOnce(deps, user).finally(() => underway.delete(user));
    underway.set(user, own);
    return own;
  };
}

/**
 * Marks the user as warming, reads Postgres, merges by rev, and calls the view warm only if the mark is still
 * there. From the mark on every turn projects into the view, so a row is either in what was read or comes
 * by itself; a crash in between leaves a user who is warming, and the next refill goes on from there.
 *
 * Who is erased meanwhile is found erased after the mark, or the erasure finds the mark: of the two at least one.
 */
async function refillOnce(deps: RefillDeps, user: UserId): Promise<LoadedHistory> {
  const { db, redis, index, warm, log, historyLimit, isErased } = deps;
  if (await isErased(user)) return NOBODY;
  for (let attempt = 1; ; attempt++) {
    const mark = await begin(deps, user);
    const [loaded, erased] = await Promise.all([loadHistory(db, user, historyLimit), isErased(user)]);
    if (erased) {
      if (mark !== null) await evict(redis, user).catch((error) => log.warn({ error }, REDIS_AWAY));
      return NOBODY;
    }
    if (mark === null || mark.warm) return loaded;
    try {
      await warm.enter(user);
      await project(deps, {
        rows: [...loaded.shown, ...loaded.behind],
        cleared: new Map([[user, loaded.cleared_at]]),
      });
      const { model, scripts } = await index.current();
      const args = [mark.token, loaded.floor, model.prefix(user)];
      const done = await runScript(redis, scripts.finishRefill, historyKeys(user), args);
      if (done === 1) deps.refilled?.();
      if (done === 1 || attempt >= ATTEMPTS) return loaded;
    } catch (error) {
      if (isIndexLost(error) && attempt < ATTEMPTS) continue;
      log.warn({ error }, REDIS_AWAY);
      return loaded;
    }
  }
}

const NOBODY: LoadedHistory = { shown: [], behind: [], cleared_at: 0, floor: 0, erased: true };

/** Null when Redis is away. What was made for another index is let go of first. */
async function begin(
  { redis, index, historyLimit, log }: RefillDeps,
  user: UserId,
): Promise<{ token: string; warm: boolean } | null> {
  try {
    const { scripts } = await index.current();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const reply = await runScript(redis, scripts.beginRefill, historyKeys(user), [
        randomUUID(),
        historyLimit,
      ]);
      const [token, warm] = reply as [string?, number?];
      if (token !== undefined) return { token, warm: warm === 1 };
      await evict(redis, user);
    }
    throw new Error("views are made for another index as fast as they are let go of");
  } catch (error) {
    log.warn({ error }, REDIS_AWAY);
    return null;
  }
}

export type RefillDeps = ProjectDeps & { db: Database; warm: Pick<WarmSet, "enter">; log: Log } & {
  /** Was the user erased, and is not accepted again? */
  isErased: (user: UserId) => Promise<boolean>;
  /** A cold user is warm. */
  refilled?: () => void;
};
