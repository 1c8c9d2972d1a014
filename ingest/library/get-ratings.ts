import { placeOfRated, ratingItem } from "../../db/contract/rated.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { ownList } from "./own-list.ts";

/** What a user thinks of contents. */
export function getRatings(deps: IngestDeps): IngestHandler {
  return ownList({
    load: (user, request) => deps.profiles.ratings(user, request),
    placeOf: placeOfRated,
    itemOf: ratingItem,
  });
}
