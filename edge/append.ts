import type { Entry } from "../db/contract/events.ts";
import { Refusal } from "../db/contract/refusals.ts";
import { type TraceContext, traceparent } from "../db/contract/trace-context.ts";
import type { EdgeContext, EdgeDeps } from "./deps.ts";
import { RedisFailed } from "./redis.ts";
import { timed } from "./sight.ts";

/**
 * Appends an entry to the event stream where ingest cannot.
 *
 * @throws Refusal `backlog_full` past the limit, `unavailable` when Redis cannot be reached either.
 */
export async function append(
  { redis, settings, watching }: EdgeDeps,
  c: EdgeContext,
  entry: Entry,
): Promise<void> {
  const taken = await orOutOfReach(
    timed(c.var.sight, "redis", (part) => {
      const origin = watching?.tracer ? part : null;
      return redis.append(withOrigin(entry, origin), settings.backlogLimit);
    }),
  );
  if (!taken) throw new Refusal("backlog_full", "too many events are waiting", { retryAfterSeconds: 5 });
}

/** Where this edge records the request, the entry tells the turn that stores it. */
function withOrigin(entry: Entry, part: TraceContext | null): Entry {
  return part?.sampled ? { ...entry, traceparent: traceparent(part) } : entry;
}

/** What Redis says, where ingest is away already. @throws Refusal `unavailable` when Redis is as well. */
export async function orOutOfReach<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    if (!(cause instanceof RedisFailed)) throw cause;
    throw new Refusal("unavailable", "it is not known whether this was accepted; it may be sent again", {
      cause,
      retryAfterSeconds: 5,
    });
  }
}
