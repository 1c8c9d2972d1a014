import { contentAnalytics } from "../../db/contract/analytics.ts";
import { ContentPath } from "../../db/contract/contents.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** How a content is watched, from what is counted as plays change. */
export function getAnalytics({ contents }: IngestDeps): IngestHandler {
  return async function getAnalytics(c) {
    const { content_id } = checked(ContentPath, c.req.param());

    const counts = await contents.rollups(content_id);
    if (!counts) throw new Refusal("not_found", `${content_id} was not watched, and is not in the catalogue`);
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(contentAnalytics(content_id, counts), 200, headers);
  };
}
