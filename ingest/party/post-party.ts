import { readBody } from "../../db/contract/body.ts";
import { PartyInput, partyPath } from "../../db/contract/parties.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { answerParty } from "./answer-party.ts";

/** Makes a party, whose host is whoever asks. */
export function postParty({ parties }: IngestDeps): IngestHandler {
  return async function postParty(c) {
    mustBeJson(c.req.header("content-type"));
    const input = checked(PartyInput, parseJson(await readBody(c.req.raw)));

    const party = await parties.create(c.var.viewer.user_id, input);
    c.header("location", partyPath(party.party_id));
    return answerParty(c, party, parties, 201);
  };
}
