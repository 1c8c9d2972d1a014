import { placeOfRated, ratingItem } from "../../db/contract/rated.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { ownList } from "../own-list.ts";

/** What a user thinks of contents. */
export function ratings(deps: EdgeDeps): EdgeHandler {
  const { readRatings: read } = deps.redis;
  return ownList(deps, { what: "the ratings are", read, placeOf: placeOfRated, itemOf: ratingItem });
}
