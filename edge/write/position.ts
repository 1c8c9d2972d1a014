import { mustBeAllowed } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { checked } from "../../db/contract/refusals.ts";
import { parseJson, type Stamp, stampHeaders } from "../../db/contract/requests.ts";
import {
  liveSession,
  PositionInput,
  positionEntry,
  reported,
  SessionPath,
  sessionView,
} from "../../db/contract/sessions.ts";
import { append, orOutOfReach } from "../append.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { IngestUnreachable } from "../ingest.ts";
import { asQuestion, asResponse } from "../pass.ts";
import { idsOf } from "../sight.ts";

/**
 * A player says where it is. When ingest cannot be reached the edge makes the same event and appends it itself: the
 * history has it then, and the session, which the edge only reads, learns of the next one.
 */
export function position(deps: EdgeDeps): EdgeHandler {
  const { ingest, redis, limit, now, newId, log, settings } = deps;
  return async function position(c) {
    const stamp: Stamp = { received_at: now(), arrival_id: newId() };
    const { session_id } = checked(SessionPath, c.req.param());
    const body = await readBody(c.req.raw);
    const input = checked(PositionInput, parseJson(body));

    const question = asQuestion(c, settings.deadlines.writeMs);
    Object.assign(question.headers, stampHeaders(stamp));
    try {
      return asResponse(c, await ingest({ ...question, body }));
    } catch (error) {
      if (!(error instanceof IngestUnreachable)) throw error;
      const details = { ...idsOf(c), reason: error.message };
      log("warn", "position: ingest is unreachable, the edge appends itself", details);
    }

    limit(c); // ingest was not there to do it
    const session = liveSession(await orOutOfReach(redis.readSession(session_id)));
    mustBeAllowed(c.var.viewer, "PATCH /api/v1/sessions/:session_id/position", session.user_id);
    await append(deps, c, positionEntry(session, input, stamp));
    const after = sessionView(reported(session, input, stamp.received_at));
    return c.json(after, 202, { "Cache-Control": "private, no-store" });
  };
}
