import type { Action } from "../../db/contract/actions.ts";
import { readBody } from "../../db/contract/body.ts";
import { acceptedAnswer, mustBeJson, readStamp } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/**
 * What a viewer does to the history: appended first, as every event, and then applied at once. 204 when the next read
 * shows it, 202 when it will; of many 200 or 202, with what became of each.
 */
export function act({ json, of }: Action): (deps: IngestDeps) => IngestHandler {
  return ({ append, applyNow, clock, newId, eventMaxAgeMs }) =>
    async function act(c) {
      const { user_id, receive } = of({ params: c.req.param(), query: c.req.query() });
      if (json) mustBeJson(c.req.header("content-type"));
      const stamp = readStamp((name) => c.req.header(name), { now: clock(), newId });
      const body = json ? await readBody(c.req.raw) : new Uint8Array();
      const arrival = { ...stamp, user_id, session_id: null, max_age_ms: eventMaxAgeMs };
      const { entry, results } = receive(arrival, body);

      await append(entry);
      const applied = await applyNow(entry);
      if (results) return c.json(acceptedAnswer(results), applied ? 200 : 202);
      return c.body(null, applied ? 204 : 202);
    };
}
