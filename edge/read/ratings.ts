import { listRequest, pageKey, pageOf } from "../../db/contract/pages.ts";
import { placeOfRated, ratingItem } from "../../db/contract/rated.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** One page of what a user thinks of contents, what changed last first, in one round trip. */
export function ratings(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function ratings(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);
    const place = { limit: request.limit, path: c.req.path, query };
    return await answerFromView(deps, c, {
      key: pageKey(request),
      what: "the ratings are",
      read: (known) => redis.readRatings(user_id, request, known),
      show(found) {
        const { shown, headers } = pageOf(found, placeOfRated, place);
        return { body: shown.map(ratingItem), headers };
      },
    });
  };
}
