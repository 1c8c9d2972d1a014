import { bigint, pgTable } from "drizzle-orm/pg-core";
import { id, stamp } from "./columns.ts";

/**
 * What holds for the whole history of a user: everything up to `cleared_at` is forgotten, and what happened in a pause
 * is not kept. A pause lasts from one of `paused_at` to the next of `resumed_at`.
 */
export const historyUsers = pgTable("history_users", {
  user_id: id("user_id").primaryKey(),
  cleared_at: stamp("cleared_at"),
  paused_at: bigint("paused_at", { mode: "number" }).array().notNull().default([]),
  resumed_at: bigint("resumed_at", { mode: "number" }).array().notNull().default([]),
});
