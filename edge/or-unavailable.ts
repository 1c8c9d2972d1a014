import { Refusal } from "../db/contract/refusals.ts";
import type { EdgeContext, EdgeDeps } from "./deps.ts";
import { IngestUnreachable } from "./ingest.ts";
import { idsOf } from "./sight.ts";

/** What ingest says, where nobody can answer in its place. @throws Refusal `unavailable` when it is out of reach. */
export async function orUnavailable<T>(
  { log }: EdgeDeps,
  c: EdgeContext,
  asking: Promise<T>,
  what = "the catalogue is",
): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    if (!(cause instanceof IngestUnreachable)) throw cause;
    log("warn", "ingest is unreachable", { ...idsOf(c), reason: cause.message });
    throw new Refusal("unavailable", `${what} out of reach`, { cause, retryAfterSeconds: 5 });
  }
}
