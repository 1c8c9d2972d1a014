import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asStream } from "../pass.ts";

/** Everything that is kept of a user. It may be long, so it passes through; where ingest breaks off, so does this. */
export function userExport(deps: EdgeDeps): EdgeHandler {
  return async function userExport(c) {
    checked(UserPath, c.req.param());
    const question = asQuestion(c, deps.settings.deadlines.readMs);
    c.header("Vary", "Authorization", { append: true });
    return asStream(c, await orUnavailable(deps, c, deps.pipe({ ...question, body: null }), "the user is"));
  };
}
