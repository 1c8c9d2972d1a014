import { changesOf, changesRequest, type Feed } from "../../db/contract/changes.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { FoundChanges } from "../../db/redis/replies.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { refill, unlessRedisFails } from "../refill.ts";

/** What changed since a cursor, in one round trip; what only Postgres can tell is asked of ingest. */
export function changes(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function changes(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const request = changesRequest(c.req.queries());
    c.header("Vary", "Authorization", { append: true });
    if (request.since?.after) return await refill(deps, c);

    const seen = await unlessRedisFails(deps, c, redis.readChanges(user_id, request));
    if (seen === null || !isToldInFull(seen)) return await refill(deps, c);
    return c.json(changesOf(seen), 200, { "Cache-Control": "private, no-store" });
  };
}

function isToldInFull(seen: FoundChanges): seen is Extract<FoundChanges, { state: "changes" }> & Feed {
  return seen.state === "changes" && seen.told.every(({ progress }) => progress !== undefined);
}
