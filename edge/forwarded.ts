import type { EdgeContext, EdgeDeps, EdgeHandler } from "./deps.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { asQuestion, asResponse } from "./pass.ts";

/**
 * A read that only ingest can answer.
 *
 * @param check refuses what ingest would refuse, so that it is not even asked.
 * @param what is out of reach when ingest is, as `the catalogue is`.
 */
export function forwarded(deps: EdgeDeps, check: (c: EdgeContext) => void, what: string): EdgeHandler {
  return async function forwarded(c) {
    check(c);
    const question = asQuestion(c, deps.settings.deadlines.readMs);
    c.header("Vary", "Authorization", { append: true });
    return asResponse(c, await orUnavailable(deps, c, deps.ingest(question), what));
  };
}
