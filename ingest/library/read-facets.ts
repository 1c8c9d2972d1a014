import { facetsRequest } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** How many items of a history have each value of a dimension, for an edge that cannot answer itself. */
export function readFacets({ history }: IngestDeps): IngestHandler {
  return async function readFacets(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const found = await history.facets(user_id, facetsRequest(c.req.queries()));
    return c.json(found, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
