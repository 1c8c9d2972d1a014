import { PartyPath } from "../../db/contract/party-lists.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** A party is made, changed or called off. */
export function partyWrite(deps: EdgeDeps): EdgeHandler {
  const check = (c: EdgeContext) => {
    if (c.req.param("party_id") !== undefined) checked(PartyPath, c.req.param());
  };
  return forwarded(deps, check, "the parties are");
}
