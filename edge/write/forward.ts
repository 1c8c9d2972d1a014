import type { Arrival } from "../../db/contract/arrival.ts";
import { readBody } from "../../db/contract/body.ts";
import type { EventResult, Received } from "../../db/contract/events.ts";
import { type AcceptedAnswer, type Stamp, stampHeaders } from "../../db/contract/requests.ts";
import { append, orOutOfReach } from "../append.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler, EdgeRedis } from "../deps.ts";
import { IngestUnreachable } from "../ingest.ts";
import { asQuestion, asResponse } from "../pass.ts";
import { idsOf } from "../sight.ts";

type Owner = Pick<Arrival, "user_id" | "session_id">;
/** Ingest finds it out by itself, so Redis is only asked when that is away. */
export type Finding = (redis: Pick<EdgeRedis, "readSession">) => Promise<Owner>;

/** A kind of write: who may, whose history it is, and what ingest would make of it. */
export type Write = (c: EdgeContext) => {
  owner: Owner | Finding;
  /** The same pure function that ingest uses. */
  receive: (arrival: Arrival, body: Uint8Array) => Received;
  /** What 202 says when the edge has appended it itself: durable, and not yet to be seen. */
  answer: (results: EventResult[] | null) => AcceptedAnswer | null;
};

/**
 * Every write: the very same bytes go to ingest, with the stamp of their arrival, and its answer comes back.
 *
 * An ingest that cannot be reached, or does not answer in time, costs nobody an event: the edge appends to
 * the stream itself. The stamp makes it the same entry, so if ingest took it after all, it is one event.
 * Whatever ingest refuses stays refused.
 */
export function forward(deps: EdgeDeps, write: Write): EdgeHandler {
  const { ingest, limit, now, newId, log, settings } = deps;
  return async function forward(c) {
    const stamp: Stamp = { received_at: now(), arrival_id: newId() };
    const { owner, receive, answer } = write(c);
    const body = c.req.method !== "DELETE" ? await readBody(c.req.raw) : null;

    const question = asQuestion(c, settings.deadlines.writeMs);
    Object.assign(question.headers, stampHeaders(stamp));
    try {
      return asResponse(c, await ingest(body ? { ...question, body } : question));
    } catch (error) {
      if (!(error instanceof IngestUnreachable)) throw error;
      const details = { ...idsOf(c), reason: error.message };
      log("warn", "write: ingest is unreachable, the edge appends itself", details);
    }

    limit(c); // ingest was not there to do it
    const its = typeof owner === "function" ? await orOutOfReach(owner(deps.redis)) : owner;
    const arrival = { ...its, ...stamp, max_age_ms: settings.eventMaxAgeMs };
    const { entry, results } = receive(arrival, body ?? new Uint8Array());
    await append(deps, c, entry);
    const said = answer(results);
    return said ? c.json(said, 202) : c.body(null, 202);
  };
}
