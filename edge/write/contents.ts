import { readBody } from "../../db/contract/body.ts";
import { bulkForm } from "../../db/contract/bulk.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse, asStream } from "../pass.ts";

/**
 * Many contents. An array is forwarded like any other body; of lines there may be any number, so they pass through,
 * and what ingest says of them comes back meanwhile.
 */
export function contents(deps: EdgeDeps): EdgeHandler {
  const { ingest, pipe, settings } = deps;
  return async function contents(c) {
    const form = bulkForm(c.req.header("content-type"));
    const question = asQuestion(c, settings.deadlines.writeMs);
    if (form === "array") {
      const body = await readBody(c.req.raw);
      return asResponse(c, await orUnavailable(deps, c, ingest({ ...question, body })));
    }
    return asStream(c, await orUnavailable(deps, c, pipe({ ...question, body: c.req.raw.body })));
  };
}
