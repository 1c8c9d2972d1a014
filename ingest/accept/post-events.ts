import { mustWrite, sessionOwner } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { receive } from "../../db/contract/events.ts";
import { PlainId, type UserId } from "../../db/contract/ids.ts";
import { checked } from "../../db/contract/refusals.ts";
import { acceptedAnswer, mustBeJson, parseJson, readStamp, UserPath } from "../../db/contract/requests.ts";
import type { IngestContext, IngestDeps, IngestHandler } from "../deps.ts";

/** Events of a playback session: its user is the token's, its id only names the play. */
export function postSessionEvents(deps: IngestDeps): IngestHandler {
  return async function postSessionEvents(c) {
    const session_id = checked(PlainId, c.req.param("session_id"), ["session_id"]);
    return await accept(deps, c, sessionOwner(c.var.viewer, session_id), session_id);
  };
}

/** Events of a profile. */
export function postProfileEvents(deps: IngestDeps): IngestHandler {
  return async function postProfileEvents(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustWrite(c.var.viewer, user_id);
    return await accept(deps, c, user_id, null);
  };
}

/** Answers 202 once every event that is not rejected is durable. */
async function accept(
  { append, clock, newId, eventMaxAgeMs }: IngestDeps,
  c: IngestContext,
  user_id: UserId,
  session_id: string | null,
): Promise<Response> {
  mustBeJson(c.req.header("content-type"));
  const stamp = readStamp((name) => c.req.header(name), { now: clock(), newId });
  const body = parseJson(await readBody(c.req.raw));
  const { entry, results } = receive(body, { ...stamp, user_id, session_id, max_age_ms: eventMaxAgeMs });
  await append(entry);
  return c.json(acceptedAnswer(results), 202);
}
