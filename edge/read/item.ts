import { checked, Refusal } from "../../db/contract/refusals.ts";
import { ItemPath } from "../../db/contract/requests.ts";
import { historyItem } from "../../db/contract/views.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { refill, unlessRedisFails } from "../refill.ts";

/** One item of a history, in one round trip. "Never watched" is said only by a view that holds everything. */
export function item(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function item(c) {
    const { user_id, content_id } = checked(ItemPath, c.req.param());

    const seen = await unlessRedisFails(deps, c, redis.readItem(user_id, content_id));
    c.header("Vary", "Authorization", { append: true });
    if (seen === null || seen.state === "cold") return await refill(deps, c);
    if (seen.state === "absent" && !seen.complete) return await refill(deps, c);
    if (seen.state === "absent") throw new Refusal("not_found", `${content_id} is not in this history`);

    return c.json(historyItem(seen.progress), 200, { "Cache-Control": "private, no-store" });
  };
}
