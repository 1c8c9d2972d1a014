import { sql } from "drizzle-orm";
import { check, index, pgTable, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { createdAt, id, stamp } from "./columns.ts";

/**
 * What users think of contents, from 1 to 10. How often each was given is in `content_rollups`, as `rating:1` to
 * `rating:10`. The index has the reviews of a content, newest first.
 */
export const ratings = pgTable(
  "ratings",
  {
    user_id: id("user_id").notNull(),
    content_id: id("content_id").notNull(),
    rating: smallint("rating").notNull(),
    review: text("review"),
    rated_at: stamp("rated_at"),
    created_at: createdAt,
  },
  (table) => [
    primaryKey({ columns: [table.user_id, table.content_id] }),
    index("ratings_reviews")
      .on(table.content_id, table.rated_at.desc(), table.user_id.desc())
      .where(sql`review IS NOT NULL`),
    check("ratings_range", sql`rating BETWEEN 1 AND 10`),
  ],
);
