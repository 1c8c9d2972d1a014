import { ContentPath } from "../../db/contract/contents.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Takes a content out of the catalogue. Histories keep the item, without title and dimensions. */
export function deleteContent({ contents }: IngestDeps): IngestHandler {
  return async function deleteContent(c) {
    const { content_id } = checked(ContentPath, c.req.param());

    if (await contents.remove(content_id)) return c.body(null, 204);
    throw new Refusal("not_found", `${content_id} is not in the catalogue`);
  };
}
