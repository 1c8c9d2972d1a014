import { listRequest, pageOf } from "../../db/contract/pages.ts";
import { placeOfRated, ratingItem } from "../../db/contract/rated.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** One page of what a user thinks of contents, for an edge that cannot answer itself. */
export function getRatings({ profiles }: IngestDeps): IngestHandler {
  return async function getRatings(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);

    const found = await profiles.ratings(user_id, request);
    const place = { limit: request.limit, path: c.req.path, query };
    const { shown, headers } = pageOf(found, placeOfRated, place);
    return c.json(shown.map(ratingItem), 200, {
      ...headers,
      ...{ "cache-control": "private, no-store", vary: "Authorization, Origin" },
    });
  };
}
