import { inviteIn, PartyPath } from "../../db/contract/party-lists.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { answerParty } from "./answer-party.ts";

/** A party, for those who may know of it. */
export function getParty({ parties }: IngestDeps): IngestHandler {
  return async function getParty(c) {
    const { party_id } = checked(PartyPath, c.req.param());
    const party = await parties.see(c.var.viewer, party_id, inviteIn(c.req.queries()));
    return answerParty(c, party, parties);
  };
}
