import { checked, Refusal } from "../../db/contract/refusals.ts";
import { ItemPath } from "../../db/contract/requests.ts";
import { historyItem } from "../../db/contract/views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** One item, for an edge that cannot answer itself. */
export function readItem({ history }: IngestDeps): IngestHandler {
  return async function readItem(c) {
    const { user_id, content_id } = checked(ItemPath, c.req.param());

    const item = await history.item(user_id, content_id);
    if (!item) throw new Refusal("not_found", "this content was not watched, or is forgotten");
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(historyItem(item), 200, headers);
  };
}
