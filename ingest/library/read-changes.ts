import { changesOf, changesRequest } from "../../db/contract/changes.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** What changed since a cursor, for an edge that cannot answer itself. */
export function readChanges({ history }: IngestDeps): IngestHandler {
  return async function readChanges(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const feed = await history.changes(user_id, changesRequest(c.req.queries()));
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(changesOf(feed), 200, headers);
  };
}
