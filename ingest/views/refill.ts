import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { beginRefill, finishRefill } from "../../db/redis/history-scripts.ts";
import { historyKeys, recordPrefix } from "../../db/redis/keys.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import { type LoadedHistory, loadHistory } from "./load.ts";
import { project } from "./project.ts";

/** Evictions in the middle of a refill that are put up with before the user stays cold for now. */
const ATTEMPTS = 5;

/**
 * Warms cold users, one load for everybody who asks at the same time, and answers with what was loaded.
 *
 * Redis being away does not matter to the answer: it comes from Postgres.
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
 */
async function refillOnce(deps: RefillDeps, user: UserId): Promise<LoadedHistory> {
  const { db, redis, log, historyLimit } = deps;
  for (let attempt = 1; ; attempt++) {
    const mark = await begin(deps, user);
    const loaded = await loadHistory(db, user, historyLimit);
    if (mark === null || mark.warm) return loaded;
    try {
      await project(deps, {
        rows: [...loaded.shown, ...loaded.forgotten],
        cleared: new Map([[user, loaded.cleared_at]]),
      });
      const args = [mark.token, loaded.floor, recordPrefix(user)];
      const done = await runScript(redis, finishRefill, historyKeys(user), args);
      if (done === 1 || attempt >= ATTEMPTS) return loaded;
    } catch (error) {
      log.warn({ error }, "refill: Redis is away, the answer comes from Postgres");
      return loaded;
    }
  }
}

async function begin(
  { redis, log }: RefillDeps,
  user: UserId,
): Promise<{ token: string; warm: boolean } | null> {
  try {
    const reply = await runScript(redis, beginRefill, historyKeys(user), [randomUUID()]);
    const [token, warm] = reply as [string, number];
    return { token, warm: warm === 1 };
  } catch (error) {
    log.warn({ error }, "refill: Redis is away, the answer comes from Postgres");
    return null;
  }
}

export type RefillDeps = { db: Database; redis: Redis; log: Log; historyLimit: number };
