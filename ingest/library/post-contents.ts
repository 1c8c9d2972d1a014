import { readBody } from "../../db/contract/body.ts";
import { bulkForm, ContentList, type ContentResult } from "../../db/contract/bulk.ts";
import { checked } from "../../db/contract/refusals.ts";
import { parseJson } from "../../db/contract/requests.ts";
import type { IngestContext, IngestDeps, IngestHandler } from "../deps.ts";
import { requestId } from "../request-id.ts";
import { contentLines } from "./content-lines.ts";
import { examineContent } from "./examine-content.ts";

/** Many contents: an array, answered as a whole, or lines, answered as they come. */
export function postContents(deps: IngestDeps): IngestHandler {
  return async function postContents(c) {
    const form = bulkForm(c.req.header("content-type"));
    return form === "array" ? await storeList(deps, c) : storeLines(deps, c);
  };
}

async function storeList({ contents }: IngestDeps, c: IngestContext): Promise<Response> {
  const list = checked(ContentList, parseJson(await readBody(c.req.raw)));
  const examined = list.map((raw, index) => examineContent(raw, [index]));
  const outcomes = await contents.store(examined.flatMap((its) => ("content" in its ? [its.content] : [])));

  const results = examined.map((its): ContentResult => {
    if ("rejected" in its) return its.rejected;
    const { content_id } = its.content;
    return { content_id, status: outcomes.get(content_id) ?? "unchanged" };
  });
  return c.json({ results });
}

function storeLines(deps: IngestDeps, c: IngestContext): Response {
  const { body } = c.req.raw;
  const results = body && ReadableStream.from(contentLines(deps, body, requestId(c, deps.newId)));
  return c.newResponse(results, 200, {
    "content-type": "application/x-ndjson",
    "cache-control": "no-store, no-transform",
  });
}
