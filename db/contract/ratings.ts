import * as z from "zod";
import { ContentId } from "./ids.ts";
import { linkTo } from "./pages.ts";
import type { ReviewsRequest } from "./reviews.ts";
import { text } from "./text.ts";

const Stars = z.number().int().min(1).max(10);

/** A rating as a client may give it: all of it, a review that is left out is gone. */
export const RatingInput = z.strictObject({
  content_id: ContentId,
  rating: Stars,
  review: text(5_000).nullable().default(null),
});
export type RatingInput = z.infer<typeof RatingInput>;

/** One of somebody's own ratings. */
export const RatingItem = z.object({
  content_id: ContentId,
  rating: z.number().int(),
  review: z.string().nullable(),
  rated_at: z.iso.datetime().describe("When the rating or its review last changed"),
});
export type RatingItem = z.infer<typeof RatingItem>;

/** What somebody wrote of a content. Whoever reads it learns the name that its writer goes by, and no user id. */
const Review = z.object({
  rating: z.number().int(),
  review: z.string(),
  rated_at: z.iso.datetime(),
  name: z.string().nullable().describe("As the profile has it; null without one"),
  avatar: z.string().nullable(),
});

/** What users think of a content. */
export const ContentRatings = z.object({
  content_id: ContentId,
  count: z.number().int(),
  mean: z.number().nullable().describe("null before the first rating"),
  distribution: z.array(z.number().int()).length(10).describe("How often each was given, from 1 to 10"),
  reviews: z.array(Review).describe("Newest first"),
});
export type ContentRatings = z.infer<typeof ContentRatings>;

/** A review as Postgres has it; its time in epoch milliseconds. */
export type Reviewed = Omit<z.infer<typeof Review>, "rated_at"> & { rated_at: number };

/** The measure of the rollups that counts a rating. */
export function ratingMeasure(rating: number): string {
  return `rating:${rating}`;
}

/**
 * The ratings of a content, and the `Link` to more reviews.
 *
 * @param counts by measure.
 * @param found the reviews after the cursor, one more than the limit where there is one.
 */
export function contentRatings(
  content_id: ContentId,
  { counts, found }: { counts: ReadonlyMap<string, number>; found: readonly Reviewed[] },
  { request: { limit, after }, path }: { request: ReviewsRequest; path: string },
): { body: ContentRatings; headers: Record<string, string> } {
  const distribution = Array.from({ length: 10 }, (_, at) => counts.get(ratingMeasure(at + 1)) ?? 0);
  const count = distribution.reduce((sum, its) => sum + its, 0);
  const total = distribution.reduce((sum, its, at) => sum + its * (at + 1), 0);
  const shown = found.slice(0, limit);
  const last = shown.at(-1)?.rated_at;
  const body = {
    ...{ content_id, count, distribution },
    mean: count > 0 ? total / count : null,
    reviews: shown.map((its) => ({ ...its, rated_at: new Date(its.rated_at).toISOString() })),
  };
  if (last === undefined || found.length <= limit) return { body, headers: {} };
  const before = after?.rated_at === last ? after.told : 0;
  const told = before + shown.filter(({ rated_at }) => rated_at === last).length;
  return { body, headers: linkTo(path, { limit, query: {}, cursor: `${last}_${told}` }) };
}
