import { ContentPath } from "../../db/contract/contents.ts";
import { contentRatings } from "../../db/contract/ratings.ts";
import { checked } from "../../db/contract/refusals.ts";
import { reviewsRequest } from "../../db/contract/reviews.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** What users think of a content. */
export function getContentRatings({ loadReviews }: IngestDeps): IngestHandler {
  return async function getContentRatings(c) {
    const { content_id } = checked(ContentPath, c.req.param());
    const request = reviewsRequest(c.req.queries());

    const reviews = await loadReviews(content_id, request);
    const { body, headers } = contentRatings(content_id, reviews, { request, path: c.req.path });
    return c.json(body, 200, {
      ...headers,
      ...{ "cache-control": "private, no-store", vary: "Authorization, Origin" },
    });
  };
}
