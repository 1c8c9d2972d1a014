import { placeOfListed, watchlistItem } from "../../db/contract/listed.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { ownList } from "./own-list.ts";

/** A watchlist, with how far its viewer came. */
export function getWatchlist(deps: IngestDeps): IngestHandler {
  return ownList({
    load: (user, request) => deps.profiles.watchlist(user, request),
    placeOf: placeOfListed,
    itemOf: watchlistItem,
  });
}
