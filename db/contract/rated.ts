import type { ContentId } from "./ids.ts";
import type { Cursor } from "./pages.ts";
import type { RatingItem } from "./ratings.ts";

/** A rating as the stores know it; its time in epoch milliseconds. */
export type Rated = { content_id: ContentId; rating: number; review: string | null; rated_at: number };

export function ratingItem({ content_id, rating, review, rated_at }: Rated): RatingItem {
  return { content_id, rating, review, rated_at: new Date(rated_at).toISOString() };
}

/** Where a rating stands: what changed last comes first. */
export function placeOfRated({ rated_at, content_id }: Pick<Rated, "rated_at" | "content_id">): Cursor {
  return { watched_at: rated_at, content_id };
}
