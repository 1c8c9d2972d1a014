import { readBody } from "../../db/contract/body.ts";
import { ratingItem } from "../../db/contract/rated.ts";
import { RatingInput } from "../../db/contract/ratings.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/**
 * Says what a user thinks of a content: 201 for the first time, 200 from then on. 202 when it is durable, and the next
 * read may not show it yet.
 */
export function postRating({ library }: IngestDeps): IngestHandler {
  return async function postRating(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustBeJson(c.req.header("content-type"));
    const rating = checked(RatingInput, parseJson(await readBody(c.req.raw)));

    const { its, seen, created } = await library.rate(user_id, rating);
    const headers = { "cache-control": "private, no-store", vary: "Authorization, Origin" };
    return c.json(ratingItem(its), seen ? (created ? 201 : 200) : 202, headers);
  };
}
