import type { Redis } from "ioredis";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { newestFirst, type PageRequest } from "../../db/contract/pages.ts";
import type { Progress } from "../../db/contract/views.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { readHistory, readItem } from "../../db/redis/history-scripts.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { type FoundHistory, type FoundItem, foundHistory, foundItem } from "../../db/redis/replies.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import { type LoadedHistory, loadItem, loadPage } from "./load.ts";

/**
 * The history as ingest reads it, for edges that could not answer: by now the view may be warm; a cold one is
 * refilled, and the answer is what was loaded for that; what Redis does not hold comes from Postgres.
 */
export function historyReader({ db, redis, refill, log }: ReadDeps) {
  /** Up to limit + 1 items after the cursor, newest first. */
  async function page(user: UserId, request: PageRequest): Promise<readonly Progress[]> {
    const { limit, after } = request;
    const args = [limit, after?.position_at ?? "", after?.content_id ?? "", ""];
    const view = await look<FoundHistory>(async () =>
      foundHistory(await runScript(redis, readHistory, historyKeys(user), args)),
    );
    if (view?.state === "page" && view.complete) return view.found;
    if (view?.state === "cold") {
      const { shown, floor } = await refill(user);
      const found = after ? shown.filter((row) => newestFirst(after, row) < 0) : shown;
      if (floor === 0 || found.length > limit) return found;
    }
    return await loadPage(db, user, after, limit + 1);
  }

  /** One item, or null when it was never watched or is forgotten. */
  async function item(user: UserId, content: ContentId): Promise<Progress | null> {
    const view = await look<FoundItem>(async () =>
      foundItem(await runScript(redis, readItem, historyKeys(user), [content]), content),
    );
    if (view?.state === "item") return view.progress;
    if (view?.state === "absent" && view.complete) return null;
    if (view?.state === "cold") {
      const { shown, floor } = await refill(user);
      const found = shown.find((row) => row.content_id === content);
      if (found || floor === 0) return found ?? null;
    }
    return await loadItem(db, user, content);
  }

  /** A Redis that is away, or a view that it cannot read, is no reason not to answer. */
  async function look<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      log.warn({ error }, "read: Redis cannot answer, Postgres does");
      return null;
    }
  }

  return { page, item };
}

export type HistoryReader = ReturnType<typeof historyReader>;
type ReadDeps = { db: Database; redis: Redis; refill: (user: UserId) => Promise<LoadedHistory>; log: Log };
