import { sessionOwner } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { type Entry, type Heartbeat, receive } from "../../db/contract/events.ts";
import { PlainId, type UserId } from "../../db/contract/ids.ts";
import { checked } from "../../db/contract/refusals.ts";
import { acceptedAnswer, mustBeJson, parseJson, readStamp, UserPath } from "../../db/contract/requests.ts";
import type { IngestContext, IngestDeps, IngestHandler } from "../deps.ts";

/** Events of a playback session, live or not: its id only names the play, and for a service whose history it is. */
export function postSessionEvents(deps: IngestDeps): IngestHandler {
  return async function postSessionEvents(c) {
    const session_id = checked(PlainId, c.req.param("session_id"), ["session_id"]);
    const user_id = await sessionOwner(c.var.viewer, session_id, deps.sessions.userOf);
    const { answer, entry } = await accept(deps, c, user_id, session_id);
    if (session_id !== user_id) await tellSession(deps, session_id, entry);
    return answer;
  };
}

/** Events of a profile. */
export function postProfileEvents(deps: IngestDeps): IngestHandler {
  return async function postProfileEvents(c) {
    const { user_id } = checked(UserPath, c.req.param());
    return (await accept(deps, c, user_id, null)).answer;
  };
}

/** Answers 202 once every event that is not rejected is durable. */
async function accept(
  { append, clock, newId, eventMaxAgeMs }: IngestDeps,
  c: IngestContext,
  user_id: UserId,
  session_id: string | null,
): Promise<{ answer: Response; entry: Entry }> {
  mustBeJson(c.req.header("content-type"));
  const stamp = readStamp((name) => c.req.header(name), { now: clock(), newId });
  const body = parseJson(await readBody(c.req.raw));
  const { entry, results } = receive(body, { ...stamp, user_id, session_id, max_age_ms: eventMaxAgeMs });
  await append(entry);
  return { answer: c.json(acceptedAnswer(results), 202), entry };
}

/** The newest of the events is a report to the session, if it is live: it is not silent, and knows where it is. */
async function tellSession({ sessions, log }: IngestDeps, session_id: string, entry: Entry): Promise<void> {
  const heartbeats = entry.events.filter((event) => event.type === "heartbeat");
  const newest = heartbeats.reduce<Heartbeat | undefined>(
    (last, event) => (last === undefined || event.occurred_at >= last.occurred_at ? event : last),
    undefined,
  );
  if (newest === undefined) return;
  try {
    await sessions.hear(session_id, { ...newest, user_id: entry.user_id });
  } catch (error) {
    log.warn({ error }, "a session was not told of its events; they are durable all the same");
  }
}
