import { Refusal } from "../db/contract/refusals.ts";
import type { EdgeContext, EdgeDeps } from "./deps.ts";
import { IngestUnreachable } from "./ingest.ts";
import { asQuestion, asResponse } from "./pass.ts";
import { RedisFailed } from "./redis.ts";
import { idsOf, timed } from "./sight.ts";

/**
 * A read that Redis cannot answer: ingest answers it from Postgres, and warms the user meanwhile.
 *
 * @throws Refusal `unavailable` when ingest is away as well: nobody knows the answer then, and an empty list
 * would be a lie.
 */
export async function refill(
  { ingest, log, settings }: EdgeDeps,
  c: EdgeContext,
  what = "the history is",
): Promise<Response> {
  try {
    return asResponse(c, await ingest(asQuestion(c, settings.deadlines.readMs)));
  } catch (cause) {
    if (!(cause instanceof IngestUnreachable)) throw cause;
    log("warn", "refill: ingest is unreachable", { ...idsOf(c), reason: cause.message });
    throw new Refusal("unavailable", `${what} out of reach`, { cause, retryAfterSeconds: 5 });
  }
}

/** What Redis says, or null when it fails: a sick cache never breaks a request that can be answered otherwise. */
export async function unlessRedisFails<T>(
  { log }: EdgeDeps,
  c: EdgeContext,
  reading: Promise<T>,
): Promise<T | null> {
  const { sight } = c.var;
  try {
    const seen = await timed(sight, "redis", () => reading);
    sight.cache = "hit"; // unless ingest is asked all the same
    return seen;
  } catch (error) {
    if (!(error instanceof RedisFailed)) throw error;
    sight.cache = "away";
    log("warn", "read: Redis failed, ingest is asked", { ...idsOf(c), reason: error.message });
    return null;
  }
}
