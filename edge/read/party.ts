import {
  inviteIn,
  logsRequest,
  messagesRequest,
  PartyPath,
  partiesRequest,
} from "../../db/contract/party-lists.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

const WHAT = "the parties are";

/** Public parties, and the viewer's own. */
export function parties(deps: EdgeDeps): EdgeHandler {
  return forwarded(deps, (c) => partiesRequest(c.req.queries()), WHAT);
}

/** One party. Who may know of it only ingest can tell, as for everything of a party. */
export function party(deps: EdgeDeps): EdgeHandler {
  return ofParty(deps, (c) => inviteIn(c.req.queries()));
}

/** What was said in it. */
export function partyMessages(deps: EdgeDeps): EdgeHandler {
  return ofParty(deps, (c) => messagesRequest(c.req.queries()));
}

/** What happened in it. */
export function partyLogs(deps: EdgeDeps): EdgeHandler {
  return ofParty(deps, (c) => logsRequest(c.req.queries()));
}

function ofParty(deps: EdgeDeps, check: (c: EdgeContext) => void): EdgeHandler {
  const checkBoth = (c: EdgeContext) => {
    checked(PartyPath, c.req.param());
    check(c);
  };
  return forwarded(deps, checkBoth, WHAT);
}
