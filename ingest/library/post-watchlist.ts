import { readBody } from "../../db/contract/body.ts";
import { watchlistItem } from "../../db/contract/listed.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, UserPath } from "../../db/contract/requests.ts";
import { WatchlistInput } from "../../db/contract/watchlist.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/**
 * Puts something on a watchlist: 201 when it was not there, 200 when it was. 202 when it is durable, and the next read
 * may not show it yet.
 */
export function postWatchlist({ library }: IngestDeps): IngestHandler {
  return async function postWatchlist(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const { content_id } = checked(WatchlistInput, parseJson(await readBody(c.req.raw)));

    const { its, seen, created } = await library.add(user_id, content_id);
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(watchlistItem(its), seen ? (created ? 201 : 200) : 202, headers);
  };
}
