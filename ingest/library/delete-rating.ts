import { checked } from "../../db/contract/refusals.ts";
import { ItemPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Takes a rating back, whether there is one or not. 202 when the next read may still show it. */
export function deleteRating({ library }: IngestDeps): IngestHandler {
  return async function deleteRating(c) {
    const { user_id, content_id } = checked(ItemPath, c.req.param());

    const { seen } = await library.unrate(user_id, content_id);
    return c.body(null, seen ? 204 : 202);
  };
}
