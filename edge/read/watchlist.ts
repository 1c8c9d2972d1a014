import { placeOfListed, watchlistItem } from "../../db/contract/listed.ts";
import { listRequest, pageKey, pageOf } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** One page of a watchlist with how far its viewer came, what was added last first, in one round trip. */
export function watchlist(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function watchlist(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);
    const place = { limit: request.limit, path: c.req.path, query };
    return await answerFromView(deps, c, {
      key: pageKey(request),
      what: "the watchlist is",
      read: (known) => redis.readWatchlist(user_id, request, known),
      show(found) {
        const { shown, headers } = pageOf(found, placeOfListed, place);
        return { body: shown.map(watchlistItem), headers };
      },
    });
  };
}
