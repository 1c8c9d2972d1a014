import { mustRead } from "../../db/contract/access.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import { ItemPath } from "../../db/contract/requests.ts";
import { historyItem } from "../../db/contract/views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { loadItem } from "../views/load.ts";

/** One item for an edge that cannot answer itself; warms the user on the way. */
export function readItem({ db, refill }: IngestDeps): IngestHandler {
  return async function readItem(c) {
    const { user_id: user, content_id: content } = checked(ItemPath, c.req.param());
    mustRead(c.var.viewer, user);

    const { shown, floor } = await refill(user);
    const loaded = shown.find((row) => row.content_id === content);
    const item = loaded ?? (floor === 0 ? null : await loadItem(db, user, content));
    if (!item) throw new Refusal("not_found", "this content was not watched, or is forgotten");
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(historyItem(item), 200, headers);
  };
}
