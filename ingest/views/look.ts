import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Log } from "../observe/log.ts";
import { evict, isUnreadable } from "./evict.ts";
import { type HistoryIndex, isIndexLost } from "./history-index.ts";
import type { LoadedHistory } from "./load.ts";

/**
 * What a view says, warmed if need be; `loaded` is what it was warmed with. `view` is null when Redis cannot say
 * anything.
 */
export type Look = <View extends { state: string }>(
  user: UserId,
  ask: () => Promise<View>,
) => Promise<{ view: View | null; loaded: LoadedHistory | null }>;

export function viewLook({ redis, index, refill, log }: LookDeps): Look {
  return async function look(user, ask) {
    const view = await askSafely(user, ask);
    if (view?.state !== "cold" && view?.state !== "other") return { view, loaded: null };
    const loaded = await refill(user);
    return { view: await askSafely(user, ask), loaded };
  };

  /** A Redis that is away is no reason not to answer; a view that it cannot read is made anew. */
  async function askSafely<View>(user: UserId, ask: () => Promise<View>): Promise<View | null> {
    try {
      return await ask();
    } catch (error) {
      log.warn({ error }, "read: Redis cannot answer, Postgres does");
      if (isIndexLost(error)) index.lost();
      else if (isUnreadable(error)) await evict(redis, user).catch(() => {});
      return null;
    }
  }
}

export type LookDeps = {
  redis: Redis;
  index: HistoryIndex;
  refill: (user: UserId) => Promise<LoadedHistory>;
  log: Log;
};
