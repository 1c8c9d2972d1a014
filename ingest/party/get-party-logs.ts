import { logsRequest, PartyPath, placeOfLog } from "../../db/contract/party-lists.ts";
import { mustSeePartyLogs } from "../../db/contract/party-rights.ts";
import { logView, type PartyLogsView } from "../../db/contract/party-views.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { onePage } from "./answer-party.ts";

/** What happened in a party, a page of it, and what it comes to. */
export function getPartyLogs({ parties }: IngestDeps): IngestHandler {
  return async function getPartyLogs(c) {
    const { party_id } = checked(PartyPath, c.req.param());
    const request = logsRequest(c.req.queries());
    const party = await parties.see(c.var.viewer, party_id, null);
    mustSeePartyLogs(c.var.viewer, party);

    const { logs, likes, peak, average } = await parties.logs(party, request);
    const { shown, headers } = onePage(c, logs, request.limit, placeOfLog);
    const totals = { party_id, likes, peak_viewers: peak, average_viewers: average };
    const view: PartyLogsView = { ...totals, logs: shown.map(logView) };
    return c.json(view, 200, headers);
  };
}
