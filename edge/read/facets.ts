import { facetsRequest, queryKey } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** How many items of a history have each value of a dimension, in one round trip. */
export function facets(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function facets(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = facetsRequest(query);
    return await answerFromView(deps, c, {
      key: await queryKey(query),
      read: (known) => redis.facets(user_id, request, known),
      show: (found) => ({ body: found }),
    });
  };
}
