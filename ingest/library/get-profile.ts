import { checked, Refusal } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** What a user is called and likes. */
export function getProfile({ profiles }: IngestDeps): IngestHandler {
  return async function getProfile(c) {
    const { user_id } = checked(UserPath, c.req.param());

    const profile = await profiles.profile(user_id);
    if (!profile) throw new Refusal("not_found", "nobody put this profile");
    return c.json(profile, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
