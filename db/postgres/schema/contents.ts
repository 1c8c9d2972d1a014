import { bigint, doublePrecision, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, id, updatedAt } from "./columns.ts";

/** The catalogue: what the content ids of events mean. An event may name content that is not here. */
export const contents = pgTable("contents", {
  content_id: id("content_id").primaryKey(),
  title: text("title"),
  thumbnail: text("thumbnail"),
  duration: doublePrecision("duration"),
  rev: bigint("rev", { mode: "number" }).notNull().default(1),
  created_at: createdAt,
  updated_at: updatedAt,
});
