import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, id } from "./columns.ts";

/** A user's lists, each created with its first item. */
export const playlists = pgTable(
  "playlists",
  { user_id: id("user_id").notNull(), name: text("name").notNull(), created_at: createdAt },
  (table) => [primaryKey({ columns: [table.user_id, table.name] })],
);

/** The name of the list that the ring keeps. */
export const WATCH_HISTORY = "watchhistory";

/** The name of the list that users keep themselves: of its items only `created_at` says something, when it was added. */
export const WATCHLIST = "watchlist";
