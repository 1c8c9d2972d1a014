import { ContentPath } from "../../db/contract/contents.ts";
import { checked } from "../../db/contract/refusals.ts";
import { reviewsRequest } from "../../db/contract/reviews.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** What users think of a content. */
export function contentRatings(deps: EdgeDeps): EdgeHandler {
  const check: Parameters<typeof forwarded>[1] = (c) => {
    checked(ContentPath, c.req.param());
    reviewsRequest(c.req.queries());
  };
  return forwarded(deps, check, "the ratings are");
}
