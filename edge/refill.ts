import { Refusal } from "../db/contract/refusals.ts";
import type { EdgeContext, EdgeDeps } from "./deps.ts";
import { IngestUnreachable } from "./ingest.ts";
import { asQuestion, asResponse } from "./pass.ts";
import { RedisFailed } from "./redis.ts";

/**
 * A read that Redis cannot answer: ingest answers it from Postgres, and warms the user meanwhile.
 *
 * @throws Refusal `unavailable` when ingest is away as well: nobody knows the answer then, and an empty list
 * would be a lie.
 */
export async function refill({ ingest, log, settings }: EdgeDeps, c: EdgeContext): Promise<Response> {
  try {
    return asResponse(c, await ingest(asQuestion(c, settings.deadlines.readMs)));
  } catch (cause) {
    if (!(cause instanceof IngestUnreachable)) throw cause;
    log("warn", "refill: ingest is unreachable", { requestId: c.var.requestId, reason: cause.message });
    throw new Refusal("unavailable", "the history is out of reach", { cause, retryAfterSeconds: 5 });
  }
}

/** What Redis says, or null when it fails: a sick cache never breaks a request that can be answered otherwise. */
export async function unlessRedisFails<T>(
  { log }: EdgeDeps,
  c: EdgeContext,
  reading: Promise<T>,
): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof RedisFailed)) throw error;
    log("warn", "read: Redis failed, ingest is asked", { requestId: c.var.requestId, reason: error.message });
    return null;
  }
}
