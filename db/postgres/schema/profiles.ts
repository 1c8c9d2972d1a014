import { sql } from "drizzle-orm";
import { bigint, jsonb, pgSequence, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, id, stamp, updatedAt } from "./columns.ts";

/** Versions of what belongs to a user beside the history. They only grow, also past an erasure. */
export const profileRevs = pgSequence("profile_revs");

/**
 * One row for everybody who has a profile, a watchlist or ratings. Its lock is how writes of one user take turns, and
 * its `rev` is the version of all three.
 */
export const profiles = pgTable("profiles", {
  user_id: id("user_id").primaryKey(),
  name: text("name"),
  avatar: text("avatar"),
  preferences: jsonb("preferences").notNull().default({}),
  /** When the profile was last put; 0 while nobody did. */
  saved_at: stamp("saved_at"),
  rev: bigint("rev", { mode: "number" }).notNull().default(sql`nextval('profile_revs')`),
  created_at: createdAt,
  updated_at: updatedAt,
});
