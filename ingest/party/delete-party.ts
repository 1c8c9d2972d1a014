import { PartyPath } from "../../db/contract/party-lists.ts";
import { mustLeadParty } from "../../db/contract/party-rights.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Calls a party off, or ends it where it is on. One that is over stays as it is. */
export function deleteParty({ parties }: IngestDeps): IngestHandler {
  return async function deleteParty(c) {
    const { party_id } = checked(PartyPath, c.req.param());
    const party = await parties.see(c.var.viewer, party_id, null);
    mustLeadParty(c.var.viewer, party);

    await parties.cancel(party);
    return c.body(null, 204);
  };
}
