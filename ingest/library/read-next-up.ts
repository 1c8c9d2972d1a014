import { nextUpRequest } from "../../db/contract/next-up.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** What a viewer watches next: the next episodes of shows, or the next fixtures of teams. */
export function readNextUp({ nextUp }: IngestDeps): IngestHandler {
  return async function readNextUp(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const found = await nextUp(user_id, nextUpRequest(c.req.queries()));
    return c.json(found, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
