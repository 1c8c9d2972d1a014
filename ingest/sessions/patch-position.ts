import { mustBeAllowed } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, readStamp } from "../../db/contract/requests.ts";
import {
  liveSession,
  noLiveSession,
  PositionInput,
  positionEntry,
  SessionPath,
  sessionView,
} from "../../db/contract/sessions.ts";
import type { IngestHandler, MaybeHistoryDeps } from "../deps.ts";

/**
 * A player says where it is: the session remembers it, and it becomes an event of the history. Postgres is not asked.
 *
 * When the event is refused the session may know of it already. That harms nobody: the player reports again.
 */
export function patchPosition(deps: MaybeHistoryDeps): IngestHandler {
  const { sessions, clock, newId } = deps;
  return async function patchPosition(c) {
    const { session_id } = checked(SessionPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const stamp = readStamp((name) => c.req.header(name), { now: clock(), newId });
    const input = checked(PositionInput, parseJson(await readBody(c.req.raw)));
    const { user_id } = liveSession(await sessions.read(session_id));
    mustBeAllowed(c.var.viewer, "PATCH /api/v1/sessions/:session_id/position", user_id);

    const session = await sessions.report(session_id, input, stamp.received_at);
    if (session === null) throw noLiveSession();
    if (deps.history !== null) await deps.append(positionEntry(session, input, stamp));
    return c.json(sessionView(session), 200, { "cache-control": "private, no-store" });
  };
}
