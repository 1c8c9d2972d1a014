import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/** There is more to look through than with any other write. What takes longer is done all the same. */
const DEADLINE_MS = 10_000;

/** Erases a user: only ingest can. */
export function erasure(deps: EdgeDeps): EdgeHandler {
  return async function erasure(c) {
    checked(UserPath, c.req.param());
    c.header("Vary", "Authorization", { append: true });
    const asking = deps.ingest(asQuestion(c, DEADLINE_MS));
    return asResponse(c, await orUnavailable(deps, c, asking, "the user is"));
  };
}
