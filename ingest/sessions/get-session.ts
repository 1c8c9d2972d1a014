import { mustBeAllowed } from "../../db/contract/access.ts";
import { checked } from "../../db/contract/refusals.ts";
import { liveSession, SessionPath, sessionView } from "../../db/contract/sessions.ts";
import type { IngestHandler, ServiceDeps } from "../deps.ts";

/** A live session, for an edge whose Redis does not answer. */
export function getSession({ sessions }: ServiceDeps): IngestHandler {
  return async function getSession(c) {
    const { session_id } = checked(SessionPath, c.req.param());
    const session = liveSession(await sessions.read(session_id));
    mustBeAllowed(c.var.viewer, "GET /api/v1/sessions/:session_id", session.user_id);
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(sessionView(session), 200, headers);
  };
}
