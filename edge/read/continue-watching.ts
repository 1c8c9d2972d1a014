import { continueRequest, continueWatching as entriesOf } from "../../db/contract/continue-watching.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** What a user may continue, newest first, one entry a show, in one round trip. */
export function continueWatching(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function continueWatching(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const limit = continueRequest(c.req.queries());
    return await answerFromView(deps, c, {
      key: `continue-${limit}`,
      read: (known) => redis.continueWatching(user_id, limit, known),
      show: (found) => ({ body: entriesOf(found, limit) }),
    });
  };
}
