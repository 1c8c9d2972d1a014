import { bigint, pgTable, primaryKey, smallint } from "drizzle-orm/pg-core";
import { createdAt, id } from "./columns.ts";

/**
 * Watchings of a content, each from its start to its completion or abandonment. Whatever order events come in, the
 * earliest start and completion stay, and the furthest that it reached.
 *
 * A play that began before its item was forgotten is forgotten with it: only its key is left, with a start of 0, so
 * that what comes late does not bring it back.
 */
export const plays = pgTable(
  "plays",
  {
    user_id: id("user_id").notNull(),
    content_id: id("content_id").notNull(),
    play_id: id("play_id").notNull(),
    started_at: bigint("started_at", { mode: "number" }).notNull(),
    completed_at: bigint("completed_at", { mode: "number" }),
    /** Twentieths of the duration, from 0 to 19; null while that is unknown. */
    reached: smallint("reached"),
    created_at: createdAt,
  },
  (table) => [primaryKey({ columns: [table.user_id, table.content_id, table.play_id] })],
);
