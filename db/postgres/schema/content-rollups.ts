import { bigint, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id } from "./columns.ts";

/**
 * How often a content was watched, counted as `plays` changes and in the same transaction: `viewers`, `plays`,
 * `completions`, and `reached:0` to `reached:19`, plays by how far they came. Ratings are counted with them: `rating:1` to `rating:10`.
 */
export const contentRollups = pgTable(
  "content_rollups",
  {
    content_id: id("content_id").notNull(),
    measure: text("measure").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.content_id, table.measure] })],
);
