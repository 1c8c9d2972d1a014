import { readBody } from "../../db/contract/body.ts";
import { PartyPatch } from "../../db/contract/parties.ts";
import { PartyPath } from "../../db/contract/party-lists.ts";
import { mustHostParty, mustLeadParty } from "../../db/contract/party-rights.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { answerParty } from "./answer-party.ts";

/** Changes a party. Its host and co-hosts may, but who helps to host is for the host to say. */
export function patchParty({ parties }: IngestDeps): IngestHandler {
  return async function patchParty(c) {
    const { party_id } = checked(PartyPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const patch = checked(PartyPatch, parseJson(await readBody(c.req.raw)));
    const party = await parties.see(c.var.viewer, party_id, null);
    mustLeadParty(c.var.viewer, party);
    if (patch.co_host_ids !== undefined) mustHostParty(c.var.viewer, party);

    return answerParty(c, await parties.change(party_id, patch), parties);
  };
}
