import { mustBeAllowed } from "../../db/contract/access.ts";
import { checked } from "../../db/contract/refusals.ts";
import { liveSession, SessionPath, sessionView } from "../../db/contract/sessions.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";
import { unlessRedisFails } from "../refill.ts";

/** A playback session, in one round trip. Sessions live in Redis alone, so what it does not know is not there. */
export function session(deps: EdgeDeps): EdgeHandler {
  const { redis, ingest, settings } = deps;
  return async function session(c) {
    const { session_id } = checked(SessionPath, c.req.param());
    const known = await unlessRedisFails(deps, c, redis.readSession(session_id));
    c.header("Vary", "Authorization", { append: true });
    if (known === null) {
      const asking = ingest(asQuestion(c, settings.deadlines.readMs));
      return asResponse(c, await orUnavailable(deps, c, asking, "the sessions are"));
    }
    const live = liveSession(known);
    mustBeAllowed(c.var.viewer, "GET /api/v1/sessions/:session_id", live.user_id);
    return c.json(sessionView(live), 200, { "Cache-Control": "private, no-store" });
  };
}
