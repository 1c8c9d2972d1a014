import { placeOfListed, watchlistItem } from "../../db/contract/listed.ts";
import { listRequest, pageOf } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** One page of a watchlist, for an edge that cannot answer itself. */
export function getWatchlist({ profiles }: IngestDeps): IngestHandler {
  return async function getWatchlist(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);

    const found = await profiles.watchlist(user_id, request);
    const place = { limit: request.limit, path: c.req.path, query };
    const { shown, headers } = pageOf(found, placeOfListed, place);
    return c.json(shown.map(watchlistItem), 200, {
      ...headers,
      ...{ "cache-control": "private, no-store", vary: "Authorization, Origin" },
    });
  };
}
