import { sql } from "drizzle-orm";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Reviewed } from "../../db/contract/ratings.ts";
import type { ReviewsRequest } from "../../db/contract/reviews.ts";
import type { Database } from "../../db/postgres/connect.ts";

/** How often each rating was given, by measure, and the reviews after the cursor, newest first: limit + 1 of them at most. */
export async function loadReviews(
  db: Database,
  content_id: ContentId,
  { limit, after }: ReviewsRequest,
): Promise<ContentReviews> {
  const [counted, reviews] = await Promise.all([
    db.execute(sql`
      SELECT measure, count FROM content_rollups WHERE content_id = ${content_id} AND measure LIKE 'rating:%'
    `),
    db.execute(sql`
      SELECT r.rating, r.review, r.rated_at, p.name, p.avatar
      FROM (
        SELECT user_id, rating, review, rated_at FROM ratings
        WHERE content_id = ${content_id} AND review IS NOT NULL
          ${after ? sql`AND rated_at <= ${after.rated_at}` : sql``}
        ORDER BY rated_at DESC NULLS LAST, user_id DESC NULLS LAST -- as the index has it
        LIMIT ${limit + 1 + (after?.told ?? 0)}
      ) r
      LEFT JOIN profiles p USING (user_id)
      ORDER BY r.rated_at DESC, r.user_id DESC
    `),
  ]);
  const counts = counted as unknown as { measure: string; count: number }[];
  const found = reviews as unknown as Reviewed[];
  // Of the instant of the cursor those who were told come first, unless they are gone.
  const told = found.slice(0, after?.told ?? 0).filter(({ rated_at }) => rated_at === after?.rated_at).length;
  return {
    counts: new Map(counts.map(({ measure, count }) => [measure, count])),
    found: found.slice(told, told + limit + 1),
  };
}

/** Counts of ratings by measure, and reviews. */
export type ContentReviews = { counts: Map<string, number>; found: Reviewed[] };
