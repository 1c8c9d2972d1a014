import { checked } from "../../db/contract/refusals.ts";
import { ItemPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Takes something off a watchlist, whether it is there or not. 202 when the next read may still show it. */
export function deleteWatchlistItem({ library }: IngestDeps): IngestHandler {
  return async function deleteWatchlistItem(c) {
    const { user_id, content_id } = checked(ItemPath, c.req.param());

    const { seen } = await library.remove(user_id, content_id);
    return c.body(null, seen ? 204 : 202);
  };
}
