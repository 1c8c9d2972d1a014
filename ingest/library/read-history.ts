import { mustRead } from "../../db/contract/access.ts";
import { historyPage, pageRequest } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/**
 * The history, for an edge that cannot answer itself: the user was cold, the page lies further back than Redis
 * holds, or Redis is away.
 */
export function readHistory({ history }: IngestDeps): IngestHandler {
  return async function readHistory(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustRead(c.var.viewer, user_id);
    const request = pageRequest(c.req.query());

    const { items, headers } = historyPage(await history.page(user_id, request), request.limit, c.req.path);
    return c.json(items, 200, {
      ...headers,
      "cache-control": "private, no-store",
      vary: "Authorization, Origin",
    });
  };
}
