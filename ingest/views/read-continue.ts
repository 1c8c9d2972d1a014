import { type ContinueItem, continueWatching } from "../../db/contract/continue-watching.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { continueArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundNarrowed } from "../../db/redis/replies.ts";
import { runScript } from "../redis.ts";
import { loadHistory } from "./load.ts";
import type { Look, LookDeps } from "./look.ts";
import type { WithContents } from "./with-contents.ts";

/**
 * What a user may continue: out of as many of the newest items as Redis holds of a history at most, wherever they are
 * found.
 */
export function continueReader({ db, redis, index, historyLimit, look, withContents }: ContinueDeps) {
  return async function readContinueWatching(user: UserId, limit: number): Promise<ContinueItem[]> {
    const ask = async () => {
      const { model, scripts } = await index.current();
      const args = continueArguments(model, user, limit);
      return foundNarrowed(await runScript(redis, scripts.continueWatching, historyKeys(user), args));
    };
    const { view, loaded } = await look(user, ask);
    if (view?.state === "page" && view.complete) return continueWatching(view.found, limit);
    const { shown } = view === null && loaded !== null ? loaded : await loadHistory(db, user, historyLimit);
    return continueWatching(await withContents(shown), limit);
  };
}

type ContinueDeps = Omit<LookDeps, "refill" | "log"> & {
  db: Database;
  historyLimit: number;
  look: Look;
  withContents: WithContents;
};
