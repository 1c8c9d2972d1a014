import { mustRead } from "../../db/contract/access.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { historyPage, newestFirst, type PageRequest, pageRequest } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { Progress } from "../../db/contract/views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import { loadPage } from "../views/load.ts";

/**
 * The history for an edge that cannot answer itself: the user was cold, the page lies further back than Redis
 * holds, or Redis is away. Warms the user, and answers with what was loaded for that.
 */
export function readHistory({ db, refill }: IngestDeps): IngestHandler {
  return async function readHistory(c) {
    const { user_id: user } = checked(UserPath, c.req.param());
    mustRead(c.var.viewer, user);
    const page = pageRequest(c.req.query());

    const found = await findPage(user, page);
    const { items, headers } = historyPage(found, page.limit, c.req.path);
    return c.json(items, 200, {
      ...headers,
      "cache-control": "private, no-store",
      vary: "Authorization, Origin",
    });
  };

  async function findPage(user: UserId, { limit, after }: PageRequest): Promise<readonly Progress[]> {
    const { shown, floor } = await refill(user);
    const loaded = after ? shown.filter((row) => newestFirst(after, row) < 0) : shown;
    if (floor === 0 || loaded.length > limit) return loaded;
    return await loadPage(db, user, after, limit + 1);
  }
}
