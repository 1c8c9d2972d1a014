import { sql } from "drizzle-orm";
import { videoRated } from "../../db/contract/cloud-events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Rated } from "../../db/contract/rated.ts";
import { type RatingInput, ratingMeasure } from "../../db/contract/ratings.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { Change, Occurrence } from "./profile-writer.ts";

/**
 * Says what a user thinks of a content, and counts it. The caller holds the user's lock, so what is counted is what
 * changes, once.
 */
export async function storeRating(
  tx: Transaction,
  { user_id, content_id, rating, review }: RatingInput & { user_id: UserId },
  { id, at }: Occurrence,
): Promise<Change<Rated>> {
  const before = await loadRating(tx, user_id, content_id);
  if (before && before.rating === rating && before.review === review) {
    return { event: null, created: false, row: before };
  }
  await tx.execute(sql`
    INSERT INTO ratings (user_id, content_id, rating, review, rated_at)
    VALUES (${user_id}, ${content_id}, ${rating}, ${review}, ${at})
    ON CONFLICT (user_id, content_id) DO UPDATE SET
      rating = excluded.rating, review = excluded.review, rated_at = excluded.rated_at
  `);
  await count(tx, content_id, { before: before?.rating, after: rating });
  return {
    event: videoRated({ user_id, content_id, rating, review }, { id, at }),
    created: before === null,
    row: { content_id, rating, review, rated_at: at },
  };
}

/** Takes a rating back. The caller holds the user's lock, if there is anything of the user. */
export async function removeRating(
  tx: Transaction,
  { user_id, content_id }: { user_id: UserId; content_id: ContentId },
  { id, at }: Occurrence,
): Promise<Change<null>> {
  const rows = await tx.execute(sql`
    DELETE FROM ratings WHERE user_id = ${user_id} AND content_id = ${content_id} RETURNING rating
  `);
  const [gone] = rows as unknown as { rating: number }[];
  if (!gone) return { event: null, created: false, row: null };
  await count(tx, content_id, { before: gone.rating });
  const event = videoRated({ user_id, content_id, rating: null, review: null }, { id, at });
  return { event, created: false, row: null };
}

async function loadRating(tx: Transaction, user: UserId, content_id: ContentId): Promise<Rated | null> {
  const rows = await tx.execute(sql`
    SELECT content_id, rating, review, rated_at FROM ratings WHERE user_id = ${user} AND content_id = ${content_id}
  `);
  return (rows as unknown as Rated[])[0] ?? null;
}

/** Both counts in the order of their measures, so that users who rate one content cannot wait for each other. */
async function count(
  tx: Transaction,
  content_id: ContentId,
  { before, after }: { before?: number | undefined; after?: number | undefined },
): Promise<void> {
  const measure = (rating: number | undefined) => (rating === undefined ? null : ratingMeasure(rating));
  await tx.execute(sql`
    INSERT INTO content_rollups AS r (content_id, measure, count)
    SELECT ${content_id}, measure, sum(change)
    FROM (VALUES (${measure(before)}::text, -1), (${measure(after)}::text, 1)) AS c (measure, change)
    WHERE measure IS NOT NULL GROUP BY measure HAVING sum(change) <> 0
    ORDER BY measure COLLATE "C"
    ON CONFLICT (content_id, measure) DO UPDATE SET count = r.count + excluded.count
  `);
}
