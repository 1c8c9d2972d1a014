import { nextUpRequest } from "../../db/contract/next-up.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { refill } from "../refill.ts";

/** What a viewer watches next. It takes the whole catalogue to know that, so only ingest does. */
export function nextUp(deps: EdgeDeps): EdgeHandler {
  return async function nextUp(c) {
    checked(UserPath, c.req.param());
    nextUpRequest(c.req.queries());
    c.header("Vary", "Authorization", { append: true });
    return await refill(deps, c);
  };
}
