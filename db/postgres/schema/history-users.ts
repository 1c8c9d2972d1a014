import { pgTable } from "drizzle-orm/pg-core";
import { id, stamp } from "./columns.ts";

/** What holds for the whole history of a user: everything up to `cleared_at` is forgotten. */
export const historyUsers = pgTable("history_users", {
  user_id: id("user_id").primaryKey(),
  cleared_at: stamp("cleared_at"),
});
