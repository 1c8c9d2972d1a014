import { continueRequest } from "../../db/contract/continue-watching.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** What a user may continue, for an edge that cannot answer itself. */
export function readContinueWatching({ history }: IngestDeps): IngestHandler {
  return async function readContinueWatching(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const found = await history.continueWatching(user_id, continueRequest(c.req.queries()));
    return c.json(found, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
