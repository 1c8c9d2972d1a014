import { readBody } from "../../db/contract/body.ts";
import { ContentPath } from "../../db/contract/contents.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { orUnavailable } from "../or-unavailable.ts";
import { asQuestion, asResponse } from "../pass.ts";

/** One content of the catalogue, read, written or taken out: only ingest has the catalogue. */
export function content(deps: EdgeDeps): EdgeHandler {
  const { readMs, writeMs } = deps.settings.deadlines;
  return async function content(c) {
    checked(ContentPath, c.req.param());
    const body = c.req.method === "PUT" ? await readBody(c.req.raw) : null;
    const question = asQuestion(c, c.req.method === "GET" ? readMs : writeMs);
    c.header("Vary", "Authorization", { append: true });
    const answer = await orUnavailable(deps, c, deps.ingest(body ? { ...question, body } : question));
    return asResponse(c, answer);
  };
}
