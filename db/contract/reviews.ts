import * as z from "zod";
import { limitParameter, parametersOf, type Query } from "./pages.ts";
import { checked } from "./refusals.ts";

/**
 * A place among the reviews of a content: just after the first `told` of this instant. Users are told apart by their
 * ids, and no cursor may tell one.
 */
export type ReviewCursor = { rated_at: number; told: number };
export type ReviewsRequest = { limit: number; after: ReviewCursor | null };

/** Nothing else is taken. */
export const ReviewsQuery = z.strictObject({
  limit: limitParameter({ usual: 20, most: 100 }),
  cursor: z
    .string()
    .regex(/^\d{1,15}_\d{1,6}$/, "not one of ours")
    .transform((cursor) => {
      const [rated_at = 0, told = 0] = cursor.split("_").map(Number);
      return { rated_at, told };
    })
    .nullable()
    .default(null),
});

/** The query string of the ratings of a content. @throws Refusal `invalid_input` */
export function reviewsRequest(query: Query): ReviewsRequest {
  const { limit, cursor } = checked(ReviewsQuery, parametersOf(query));
  return { limit, after: cursor };
}
