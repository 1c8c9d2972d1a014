import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { type FacetsRequest, newestFirst, type PageRequest } from "../../db/contract/pages.ts";
import type { Facet, Narrowed, Progress } from "../../db/contract/views.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { readHistory, readItem } from "../../db/redis/history-scripts.ts";
import { facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundFacets, foundHistory, foundItem, foundNarrowed } from "../../db/redis/replies.ts";
import { runScript } from "../redis.ts";
import type { ContentLookup } from "./contents.ts";
import { loadFacets, loadItems, loadPage } from "./load.ts";
import { type LookDeps, viewLook } from "./look.ts";
import { changesReader } from "./read-changes.ts";
import { continueReader } from "./read-continue.ts";
import { rowsWithContents } from "./with-contents.ts";

/**
 * The history as ingest reads it, for edges that could not answer: a cold view is refilled and then read, so that
 * what was forgotten meanwhile is not in it; what Redis does not hold, or cannot say, comes from Postgres.
 */
export function historyReader(deps: ReadDeps) {
  const { db, redis, index, contents } = deps;
  const look = viewLook(deps);
  const withContents = rowsWithContents(contents);

  /** Up to limit + 1 items after the cursor, newest first. */
  async function page(user: UserId, request: PageRequest): Promise<readonly Progress[]> {
    const { limit, after } = request;
    const args = [limit, after?.watched_at ?? "", after?.content_id ?? "", ""];
    const ask = async () => foundHistory(await runScript(redis, readHistory, historyKeys(user), args));

    const { view, loaded } = await look(user, ask);
    if (view?.state === "page" && view.complete) return view.found;
    const found = loaded?.shown.filter((row) => !after || newestFirst(after, row) < 0) ?? [];
    const enough = view?.state !== "page" && loaded && (loaded.floor === 0 || found.length > limit);
    const rows = enough ? found : await loadPage(db, user, { ...request, limit: limit + 1 });
    return (await withContents(rows)).map(({ progress }) => progress);
  }

  /** The same, narrowed by dimension. */
  async function narrowed(user: UserId, request: PageRequest): Promise<readonly Narrowed[]> {
    const ask = async () => {
      const { model, scripts } = await index.current();
      const args = searchArguments(model, user, request);
      return foundNarrowed(await runScript(redis, scripts.search, historyKeys(user), args));
    };
    const { view } = await look(user, ask);
    if (view?.state === "page" && view.complete) return view.found;
    return await withContents(await loadPage(db, user, { ...request, limit: request.limit + 1 }));
  }

  /** How many items have each value of a dimension. */
  async function facets(user: UserId, request: FacetsRequest): Promise<readonly Facet[]> {
    const ask = async () => {
      const { model, scripts } = await index.current();
      const args = facetsArguments(model, user, request);
      return foundFacets(await runScript(redis, scripts.facets, historyKeys(user), args));
    };
    const { view } = await look(user, ask);
    if (view?.state === "facets" && view.complete) return view.found;
    return await loadFacets(db, user, request);
  }

  /** One item, or null when it was never watched or is forgotten. */
  async function item(user: UserId, content: ContentId): Promise<Progress | null> {
    const ask = async () =>
      foundItem(await runScript(redis, readItem, historyKeys(user), [content]), content);

    const { view } = await look(user, ask);
    if (view?.state === "item") return view.progress;
    if (view?.state === "absent" && view.complete) return null;
    const [shown] = await withContents(await loadItems(db, user, [content]));
    return shown?.progress ?? null;
  }

  return {
    ...{ page, narrowed, facets, item },
    continueWatching: continueReader({ ...deps, look, withContents }),
    changes: changesReader({ ...deps, look, withContents }),
  };
}

export type HistoryReader = ReturnType<typeof historyReader>;
type ReadDeps = LookDeps & {
  db: Database;
  historyLimit: number;
  contents: ContentLookup;
};
