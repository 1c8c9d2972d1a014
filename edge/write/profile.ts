import { checked } from "../../db/contract/refusals.ts";
import { ItemPath, UserPath } from "../../db/contract/requests.ts";
import type { EdgeContext, EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** A write of what belongs to a user beside the history: profile, watchlist and ratings. It is shown at once. */
export function profileWrite(deps: EdgeDeps): EdgeHandler {
  const check = (c: EdgeContext) => {
    const { user_id, content_id } = c.req.param() as { user_id: string; content_id?: string };
    checked(content_id === undefined ? UserPath : ItemPath, { user_id, content_id });
  };
  return forwarded(deps, check, "the profile is");
}
