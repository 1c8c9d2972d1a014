import { sql } from "drizzle-orm";
import { index, pgTable, smallint, text } from "drizzle-orm/pg-core";
import { id, stamp } from "./columns.ts";

/**
 * Who was erased, by a keyed hash: whoever reads this learns no name. Times are epoch milliseconds.
 *
 * An erasure is repeated before it is finished. Until then the row holds what it takes to do that: whose it is, and how
 * far it is.
 */
export const erased = pgTable(
  "erased",
  {
    user_hash: id("user_hash").primaryKey(),
    erased_at: stamp("erased_at"),
    /** Since when the user is accepted again; 0 while not. What happened before stays dropped. */
    accepted_at: stamp("accepted_at"),
    /** Whose erasure is not finished; null when it is. */
    user_id: id("user_id"),
    /** How often everything was erased that there was. */
    passes: smallint("passes").notNull().default(0),
    /** The newest entry of the event stream when it was first. */
    stream_id: text("stream_id").notNull().default(""),
    /** When somebody is to go on with it. */
    due_at: stamp("due_at"),
  },
  (table) => [index("erased_due").on(table.due_at).where(sql`user_id IS NOT NULL`)],
);
