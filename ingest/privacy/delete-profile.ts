import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Erases a user, and says what went. To erase again is harmless. */
export function deleteProfile({ privacy }: IngestDeps): IngestHandler {
  return async function deleteProfile(c) {
    const { user_id } = checked(UserPath, c.req.param());
    return c.json(await privacy.erase(user_id), 200, { "cache-control": "private, no-store" });
  };
}
