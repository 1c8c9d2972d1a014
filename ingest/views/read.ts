import type { Redis } from "ioredis";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { newestFirst, type PageRequest } from "../../db/contract/pages.ts";
import type { Progress } from "../../db/contract/views.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { readHistory, readItem } from "../../db/redis/history-scripts.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundHistory, foundItem } from "../../db/redis/replies.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import { type LoadedHistory, loadItem, loadPage } from "./load.ts";
import { evict, isUnreadable } from "./project.ts";

/**
 * The history as ingest reads it, for edges that could not answer: a cold view is refilled and then read, so that
 * what was forgotten meanwhile is not in it; what Redis does not hold, or cannot say, comes from Postgres.
 */
export function historyReader({ db, redis, refill, log }: ReadDeps) {
  /** Up to limit + 1 items after the cursor, newest first. */
  async function page(user: UserId, request: PageRequest): Promise<readonly Progress[]> {
    const { limit, after } = request;
    const args = [limit, after?.position_at ?? "", after?.content_id ?? "", ""];
    const look = async () => foundHistory(await runScript(redis, readHistory, historyKeys(user), args));

    const { view, loaded } = await lookOrRefill(user, look);
    if (view?.state === "page" && view.complete) return view.found;
    const found = loaded?.shown.filter((row) => !after || newestFirst(after, row) < 0) ?? [];
    if (view?.state !== "page" && loaded && (loaded.floor === 0 || found.length > limit)) return found;
    return await loadPage(db, user, after, limit + 1);
  }

  /** One item, or null when it was never watched or is forgotten. */
  async function item(user: UserId, content: ContentId): Promise<Progress | null> {
    const look = async () =>
      foundItem(await runScript(redis, readItem, historyKeys(user), [content]), content);

    const { view } = await lookOrRefill(user, look);
    if (view?.state === "item") return view.progress;
    if (view?.state === "absent" && view.complete) return null;
    return await loadItem(db, user, content);
  }

  /** What the view says, warmed if need be; `loaded` is what it was warmed with. */
  async function lookOrRefill<View extends { state: string }>(user: UserId, look: () => Promise<View>) {
    const view = await lookSafely(user, look);
    if (view?.state !== "cold") return { view, loaded: null };
    const loaded = await refill(user);
    return { view: await lookSafely(user, look), loaded };
  }

  /** A Redis that is away is no reason not to answer; a view that it cannot read is made anew. */
  async function lookSafely<View>(user: UserId, look: () => Promise<View>) {
    try {
      return await look();
    } catch (error) {
      log.warn({ error }, "read: Redis cannot answer, Postgres does");
      if (isUnreadable(error)) await evict(redis, user).catch(() => {});
      return null;
    }
  }

  return { page, item };
}

export type HistoryReader = ReturnType<typeof historyReader>;
type ReadDeps = { db: Database; redis: Redis; refill: (user: UserId) => Promise<LoadedHistory>; log: Log };
