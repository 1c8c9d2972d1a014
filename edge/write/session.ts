import { mustBeAllowed } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { checked } from "../../db/contract/refusals.ts";
import { parseJson, stampHeaders } from "../../db/contract/requests.ts";
import { SessionInput, SessionPath } from "../../db/contract/sessions.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/** Begins a playback session: only ingest does, for it knows the position to resume at. */
export function startSession(deps: EdgeDeps): EdgeHandler {
  return async function startSession(c) {
    const stamp = { received_at: deps.now(), arrival_id: deps.newId() };
    const body = await readBody(c.req.raw);
    const { user_id } = checked(SessionInput, parseJson(body));
    mustBeAllowed(c.var.viewer, "POST /api/v1/sessions", user_id);
    return await forwarded(deps, c, stampHeaders(stamp), body);
  };
}

/** Ends a playback session: only ingest does, for its state and its last event change in one step. */
export function endSession(deps: EdgeDeps): EdgeHandler {
  return async function endSession(c) {
    const stamp = { received_at: deps.now(), arrival_id: deps.newId() };
    checked(SessionPath, c.req.param());
    return await forwarded(deps, c, stampHeaders(stamp));
  };
}

async function forwarded(
  deps: EdgeDeps,
  c: EdgeContext,
  stamp: Record<string, string>,
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const question = asQuestion(c, deps.settings.deadlines.writeMs);
  Object.assign(question.headers, stamp);
  const asking = deps.ingest(body ? { ...question, body } : question);
  return asResponse(c, await orUnavailable(deps, c, asking, "the sessions are"));
}
