import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { createdAt, id, stamp, updatedAt } from "./columns.ts";

/**
 * The items of every list: a few independent registers, each with its own stamp. `deleted_at` masks every
 * stamp up to its own.
 *
 * No column that heartbeats change is indexed, or updates would leave the heap page, and there is no foreign key, for
 * a row must not pay for a trigger at every insert. The second index finds the viewers of a content.
 */
export const listitems = pgTable(
  "listitems",
  {
    user_id: id("user_id").notNull(),
    playlist: text("playlist").notNull(),
    content_id: id("content_id").notNull(),
    id: uuid("id").notNull().defaultRandom(),
    playback_time: doublePrecision("playback_time").notNull().default(0),
    position_at: stamp("position_at"),
    position_event_id: id("position_event_id").notNull().default(""),
    duration: doublePrecision("duration"),
    duration_at: stamp("duration_at"),
    catalog_id: id("catalog_id"),
    catalog_at: stamp("catalog_at"),
    completed_at: stamp("completed_at"),
    marked_at: stamp("marked_at"),
    /** What was marked: watched, or not. */
    marked: boolean("marked").notNull().default(false),
    dismissed_at: stamp("dismissed_at"),
    dismissed: boolean("dismissed").notNull().default(false),
    deleted_at: stamp("deleted_at"),
    /** Where it stands in the history; 0 when it is not in it. */
    watched_at: bigint("watched_at", { mode: "number" })
      .notNull()
      .generatedAlwaysAs(sql`greatest(position_at, CASE WHEN marked THEN marked_at ELSE 0 END)`),
    rev: bigint("rev", { mode: "number" }).notNull().default(1),
    created_at: createdAt,
    updated_at: updatedAt,
  },
  (table) => [
    primaryKey({ columns: [table.user_id, table.playlist, table.content_id] }),
    index("listitems_viewers").on(table.content_id, table.playlist, table.user_id),
  ],
);
