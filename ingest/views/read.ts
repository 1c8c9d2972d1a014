import type { Redis } from "ioredis";
import type { Content } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { type FacetsRequest, newestFirst, type PageRequest } from "../../db/contract/pages.ts";
import type { Facet, Narrowed, Progress } from "../../db/contract/views.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { readHistory, readItem } from "../../db/redis/history-scripts.ts";
import { facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { recordView, watchedItem } from "../../db/redis/records.ts";
import { foundFacets, foundHistory, foundItem, foundNarrowed } from "../../db/redis/replies.ts";
import type { HistoryRow } from "../../db/rows.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import type { ContentLookup } from "./contents.ts";
import { evict, isUnreadable } from "./evict.ts";
import { type HistoryIndex, isIndexLost } from "./history-index.ts";
import { type LoadedHistory, loadFacets, loadItem, loadPage } from "./load.ts";

/**
 * The history as ingest reads it, for edges that could not answer: a cold view is refilled and then read, so that
 * what was forgotten meanwhile is not in it; what Redis does not hold, or cannot say, comes from Postgres.
 */
export function historyReader({ db, redis, index, contents, refill, log }: ReadDeps) {
  /** Up to limit + 1 items after the cursor, newest first. */
  async function page(user: UserId, request: PageRequest): Promise<readonly Progress[]> {
    const { limit, after } = request;
    const args = [limit, after?.position_at ?? "", after?.content_id ?? "", ""];
    const look = async () => foundHistory(await runScript(redis, readHistory, historyKeys(user), args));

    const { view, loaded } = await lookOrRefill(user, look);
    if (view?.state === "page" && view.complete) return view.found;
    const found = loaded?.shown.filter((row) => !after || newestFirst(after, row) < 0) ?? [];
    const enough = view?.state !== "page" && loaded && (loaded.floor === 0 || found.length > limit);
    const rows = enough ? found : await loadPage(db, user, { ...request, limit: limit + 1 });
    return (await withContents(rows)).map(({ progress }) => progress);
  }

  /** The same, narrowed by dimension. */
  async function narrowed(user: UserId, request: PageRequest): Promise<readonly Narrowed[]> {
    const look = async () => {
      const { model, scripts } = await index.current();
      const args = searchArguments(model, user, request);
      return foundNarrowed(await runScript(redis, scripts.search, historyKeys(user), args));
    };
    const { view } = await lookOrRefill(user, look);
    if (view?.state === "page" && view.complete) return view.found;
    return await withContents(await loadPage(db, user, { ...request, limit: request.limit + 1 }));
  }

  /** How many items have each value of a dimension. */
  async function facets(user: UserId, request: FacetsRequest): Promise<readonly Facet[]> {
    const look = async () => {
      const { model, scripts } = await index.current();
      const args = facetsArguments(model, user, request);
      return foundFacets(await runScript(redis, scripts.facets, historyKeys(user), args));
    };
    const { view } = await lookOrRefill(user, look);
    if (view?.state === "facets" && view.complete) return view.found;
    return await loadFacets(db, user, request);
  }

  /** One item, or null when it was never watched or is forgotten. */
  async function item(user: UserId, content: ContentId): Promise<Progress | null> {
    const look = async () =>
      foundItem(await runScript(redis, readItem, historyKeys(user), [content]), content);

    const { view } = await lookOrRefill(user, look);
    if (view?.state === "item") return view.progress;
    if (view?.state === "absent" && view.complete) return null;
    const row = await loadItem(db, user, content);
    return row ? ((await withContents([row]))[0]?.progress ?? null) : null;
  }

  async function withContents(rows: readonly HistoryRow[]): Promise<Narrowed[]> {
    const known = await contents(rows);
    return rows.map((row) => {
      const content = known.get(row.content_id) ?? null;
      return { progress: watchedItem(row, content), record: shownOf(content) };
    });
  }

  /** What the view says, warmed if need be; `loaded` is what it was warmed with. */
  async function lookOrRefill<View extends { state: string }>(user: UserId, look: () => Promise<View>) {
    const view = await lookSafely(user, look);
    if (view?.state !== "cold" && view?.state !== "other") return { view, loaded: null };
    const loaded = await refill(user);
    return { view: await lookSafely(user, look), loaded };
  }

  /** A Redis that is away is no reason not to answer; a view that it cannot read is made anew. */
  async function lookSafely<View>(user: UserId, look: () => Promise<View>) {
    try {
      return await look();
    } catch (error) {
      log.warn({ error }, "read: Redis cannot answer, Postgres does");
      if (isIndexLost(error)) index.lost();
      else if (isUnreadable(error)) await evict(redis, user).catch(() => {});
      return null;
    }
  }

  return { page, narrowed, facets, item };
}

function shownOf(content: Content | null): Narrowed["record"] {
  return content === null || content.removed ? null : recordView(content);
}

export type HistoryReader = ReturnType<typeof historyReader>;
type ReadDeps = {
  db: Database;
  redis: Redis;
  index: HistoryIndex;
  contents: ContentLookup;
  refill: (user: UserId) => Promise<LoadedHistory>;
  log: Log;
};
