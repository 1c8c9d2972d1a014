import { messagesRequest, PartyPath, placeOfMessage } from "../../db/contract/party-lists.ts";
import { messageView } from "../../db/contract/party-views.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { onePage } from "./answer-party.ts";

/** One page of what was said in a party, by where the playback was. */
export function getPartyMessages({ parties }: IngestDeps): IngestHandler {
  return async function getPartyMessages(c) {
    const { party_id } = checked(PartyPath, c.req.param());
    const request = messagesRequest(c.req.queries());
    const party = await parties.see(c.var.viewer, party_id, request.invite);

    const found = await parties.messages(party, request);
    const { shown, headers } = onePage(c, found, request.limit, placeOfMessage);
    return c.json(shown.map(messageView), 200, headers);
  };
}
