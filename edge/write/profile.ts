import { readBody } from "../../db/contract/body.ts";
import { checked } from "../../db/contract/refusals.ts";
import { ItemPath, UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/**
 * A write of what belongs to a user beside the history: profile, watchlist and ratings. Only ingest can make it durable
 * and show it at once, so without ingest there is none.
 */
export function profileWrite(deps: EdgeDeps): EdgeHandler {
  return async function profileWrite(c) {
    const { user_id, content_id } = c.req.param() as { user_id: string; content_id?: string };
    checked(content_id === undefined ? UserPath : ItemPath, { user_id, content_id });
    const body = c.req.method === "DELETE" ? null : await readBody(c.req.raw);
    const question = asQuestion(c, deps.settings.deadlines.writeMs);
    c.header("Vary", "Authorization", { append: true });
    const asking = deps.ingest(body ? { ...question, body } : question);
    return asResponse(c, await orUnavailable(deps, c, asking, "the profile is"));
  };
}
