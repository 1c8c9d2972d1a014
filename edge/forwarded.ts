import { readBody } from "../db/contract/body.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "./deps.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { asQuestion, asResponse } from "./pass.ts";

/**
 * What only ingest can answer or do: without ingest there is none of it.
 *
 * @param check refuses what ingest would refuse, so that it is not even asked. What is in a body is left to ingest.
 * @param what is out of reach when ingest is, as `the catalogue is`.
 * @param deadlineMs where it may take longer than other reads and writes.
 */
export function forwarded(
  deps: EdgeDeps,
  check: (c: EdgeContext) => void,
  what: string,
  deadlineMs?: number,
): EdgeHandler {
  const { readMs, writeMs } = deps.settings.deadlines;
  return async function forwarded(c) {
    check(c);
    const { method } = c.req;
    const body = WITH_BODY.has(method) ? await readBody(c.req.raw) : null;
    const question = asQuestion(c, deadlineMs ?? (method === "GET" ? readMs : writeMs));
    c.header("Vary", "Authorization", { append: true });
    const asking = deps.ingest(body ? { ...question, body } : question);
    return asResponse(c, await orUnavailable(deps, c, asking, what));
  };
}

const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
