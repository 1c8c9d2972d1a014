import { readBody } from "../../db/contract/body.ts";
import { PartyInput, PartyPatch, PartyPath } from "../../db/contract/parties.ts";
import { checked } from "../../db/contract/refusals.ts";
import { parseJson } from "../../db/contract/requests.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/** Makes a party: only ingest does. */
export function createParty(deps: EdgeDeps): EdgeHandler {
  return async function createParty(c) {
    const body = await readBody(c.req.raw);
    checked(PartyInput, parseJson(body));
    return await forwarded(deps, c, body);
  };
}

/** Changes a party. */
export function changeParty(deps: EdgeDeps): EdgeHandler {
  return async function changeParty(c) {
    checked(PartyPath, c.req.param());
    const body = await readBody(c.req.raw);
    checked(PartyPatch, parseJson(body));
    return await forwarded(deps, c, body);
  };
}

/** Calls a party off, or ends it. */
export function cancelParty(deps: EdgeDeps): EdgeHandler {
  return async function cancelParty(c) {
    checked(PartyPath, c.req.param());
    return await forwarded(deps, c);
  };
}

async function forwarded(deps: EdgeDeps, c: EdgeContext, body?: Uint8Array<ArrayBuffer>): Promise<Response> {
  const question = asQuestion(c, deps.settings.deadlines.writeMs);
  c.header("Vary", "Authorization", { append: true });
  const asking = deps.ingest(body ? { ...question, body } : question);
  return asResponse(c, await orUnavailable(deps, c, asking, "the parties are"));
}
