import { checked, Refusal } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** What a user is called and likes, in one round trip. That nobody put it is a fact as well, and known to the view. */
export function profile(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function profile(c) {
    const { user_id } = checked(UserPath, c.req.param());
    return await answerFromView(deps, c, {
      key: "profile",
      what: "the profile is",
      async read(known) {
        const seen = await redis.readProfile(user_id, known);
        if (seen.state !== "page") return seen;
        if (seen.found === null) throw new Refusal("not_found", "nobody put this profile");
        return { ...seen, found: seen.found };
      },
      show: (found) => ({ body: found }),
    });
  };
}
