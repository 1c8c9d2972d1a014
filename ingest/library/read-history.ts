import { pageOf, pageRequest } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { historyItem, narrowedItem } from "../../db/contract/views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/**
 * The history, whole or narrowed by dimension, for an edge that cannot answer itself: the user was cold, the page lies
 * further back than Redis holds, or Redis is away.
 */
export function readHistory({ history }: IngestDeps): IngestHandler {
  return async function readHistory(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = pageRequest(query);
    const place = { limit: request.limit, path: c.req.path, query };
    const answer = { "cache-control": "private, no-store", vary: "Authorization, Origin" };

    if (request.filter) {
      const found = await history.narrowed(user_id, request);
      const { shown, headers } = pageOf(found, ({ progress }) => progress, place);
      return c.json(shown.map(narrowedItem), 200, { ...headers, ...answer });
    }
    const { shown, headers } = pageOf(await history.page(user_id, request), (progress) => progress, place);
    return c.json(shown.map(historyItem), 200, { ...headers, ...answer });
  };
}
