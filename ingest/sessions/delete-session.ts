import { mustBeAllowed } from "../../db/contract/access.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import { readStamp } from "../../db/contract/requests.ts";
import { finalEntry, noLiveSession, SessionPath, userOfSession } from "../../db/contract/sessions.ts";
import type { IngestHandler, MaybeHistoryDeps } from "../deps.ts";
import { endSession } from "./end-session.ts";

/** Somebody who reports and ends at the same time, again and again, is not waited for any longer. */
const TRIES = 5;
/** Long enough for a drain that is behind to have caught up a little. */
const BACKLOG_RETRY_SECONDS = 5;

/** Ends a session. To end one again that is over changes nothing, for as long as it is remembered. */
export function deleteSession(deps: MaybeHistoryDeps): IngestHandler {
  const { sessions, clock, newId } = deps;
  return async function deleteSession(c) {
    const { session_id } = checked(SessionPath, c.req.param());
    const { received_at: at } = readStamp((name) => c.req.header(name), { now: clock(), newId });
    for (let tries = 0; tries < TRIES; tries++) {
      const known = await sessions.read(session_id);
      const user_id = userOfSession(known);
      if (user_id === null) throw noLiveSession();
      mustBeAllowed(c.var.viewer, "DELETE /api/v1/sessions/:session_id", user_id);
      if (known.state !== "live") return c.body(null, 204);

      const ending = await endSession(deps, known.session, { at, by: "client" });
      // Whoever stops here and goes on elsewhere finds the place. It is durable, should Postgres be away.
      const last = ending === "ended" ? finalEntry(known.session) : null;
      if (last && deps.history !== null) await deps.applyNow(last);
      if (ending === "ended" || ending === "gone") return c.body(null, 204);
      if (ending === "full") {
        throw new Refusal("backlog_full", "too many events are waiting, the session was not ended", {
          retryAfterSeconds: BACKLOG_RETRY_SECONDS,
        });
      }
    }
    throw new Refusal("unavailable", "positions of this session keep coming");
  };
}
