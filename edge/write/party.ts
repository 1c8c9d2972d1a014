import { readBody } from "../../db/contract/body.ts";
import { PartyPath } from "../../db/contract/party-lists.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/**
 * A party is made, changed or called off. Only ingest can do that, so without ingest there is none; what is in the body
 * only ingest knows as well.
 */
export function partyWrite(deps: EdgeDeps): EdgeHandler {
  return async function partyWrite(c) {
    if (c.req.param("party_id") !== undefined) checked(PartyPath, c.req.param());
    const body = c.req.method === "DELETE" ? null : await readBody(c.req.raw);
    const question = asQuestion(c, deps.settings.deadlines.writeMs);
    c.header("Vary", "Authorization", { append: true });
    const asking = deps.ingest(body ? { ...question, body } : question);
    return asResponse(c, await orUnavailable(deps, c, asking, "the parties are"));
  };
}
