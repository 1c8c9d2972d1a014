import { mayReadmit } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { ProfileInput } from "../../db/contract/profiles.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Says what a user is called and likes, all of it. 202 when it is durable, and the next read may not show it yet. */
export function putProfile({ library }: IngestDeps): IngestHandler {
  return async function putProfile(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const facts = checked(ProfileInput, parseJson(await readBody(c.req.raw)));

    // Nobody who was erased can come back by themselves.
    const again = mayReadmit(c.var.viewer);
    const { its, seen } = await library.put(user_id, facts, again);
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(its, seen ? 200 : 202, headers);
  };
}
