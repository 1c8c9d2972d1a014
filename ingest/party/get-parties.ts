import { partiesRequest, placeOfParty } from "../../db/contract/party-lists.ts";
import { leadsParty } from "../../db/contract/party-rights.ts";
import { partyView } from "../../db/contract/party-views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { onePage } from "./answer-party.ts";

/** One page of parties: public ones, and the viewer's own. */
export function getParties({ parties }: IngestDeps): IngestHandler {
  return async function getParties(c) {
    const request = partiesRequest(c.req.queries());
    const { viewer } = c.var;
    const { capacity } = parties;

    const found = await parties.list(viewer.user_id, request);
    const { shown, headers } = onePage(c, found, request.limit, placeOfParty);
    const views = shown.map((party) => partyView(party, { capacity, leads: leadsParty(viewer, party) }));
    return c.json(views, 200, headers);
  };
}
