import { placeOfRated, ratingItem } from "../../db/contract/rated.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { ownList } from "./own-list.ts";

/** What a user thinks of contents. */
export function getRatings({ profiles }: IngestDeps): IngestHandler {
  return ownList({ load: profiles.ratings, placeOf: placeOfRated, itemOf: ratingItem });
}
