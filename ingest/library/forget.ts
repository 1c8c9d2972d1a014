import { mustWrite } from "../../db/contract/access.ts";
import { type Arrival, type Entry, forgetting } from "../../db/contract/events.ts";
import { checked } from "../../db/contract/refusals.ts";
import { ClearQuery, ItemPath, readStamp, UserPath } from "../../db/contract/requests.ts";
import type { IngestContext, IngestDeps, IngestHandler } from "../deps.ts";

/** Forgets one item up to now: a heartbeat that is newer starts it clean. */
export function forgetItem(deps: IngestDeps): IngestHandler {
  return async function forgetItem(c) {
    const { content_id } = checked(ItemPath, c.req.param());
    return await forget(deps, c, (arrival) => forgetting(arrival, { content_id }));
  };
}

/** Forgets the whole history up to now, or up to the time of `before`. */
export function clearHistory(deps: IngestDeps): IngestHandler {
  return async function clearHistory(c) {
    const { before } = checked(ClearQuery, c.req.query());
    return await forget(deps, c, (arrival) => forgetting(arrival, { before }));
  };
}

/** Appended first, as every event, and then applied at once: 204 when the next read shows it, 202 when it will. */
async function forget(
  { append, applyNow, clock, newId, eventMaxAgeMs }: IngestDeps,
  c: IngestContext,
  entryFor: (arrival: Arrival) => Entry,
): Promise<Response> {
  const { user_id } = checked(UserPath, c.req.param());
  mustWrite(c.var.viewer, user_id);
  const stamp = readStamp((name) => c.req.header(name), { now: clock(), newId });
  const entry = entryFor({ ...stamp, user_id, session_id: null, max_age_ms: eventMaxAgeMs });

  await append(entry);
  return c.body(null, (await applyNow(entry)) ? 204 : 202);
}
