import { placeOfListed, watchlistItem } from "../../db/contract/listed.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { ownList } from "../own-list.ts";

/** A watchlist, with how far its viewer came. */
export function watchlist(deps: EdgeDeps): EdgeHandler {
  const { readWatchlist: read } = deps.redis;
  return ownList(deps, { what: "the watchlist is", read, placeOf: placeOfListed, itemOf: watchlistItem });
}
