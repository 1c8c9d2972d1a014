import { readBody } from "../../db/contract/body.ts";
import { ContentInput, ContentPath, contentView } from "../../db/contract/contents.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Says what a content is, all of it: what is left out is unknown from now on. */
export function putContent({ contents }: IngestDeps): IngestHandler {
  return async function putContent(c) {
    const { content_id } = checked(ContentPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const content = { content_id, ...checked(ContentInput, parseJson(await readBody(c.req.raw))) };

    const outcomes = await contents.store([content]);
    return c.json(contentView(content), outcomes.get(content_id) === "created" ? 201 : 200);
  };
}
