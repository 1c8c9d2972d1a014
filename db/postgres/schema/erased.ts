import { pgTable, text } from "drizzle-orm/pg-core";
import { stamp } from "./columns.ts";

/** Who was erased, by a keyed hash: whoever reads this learns no name. Times are epoch milliseconds. */
export const erased = pgTable("erased", {
  user_hash: text("user_hash").primaryKey(),
  erased_at: stamp("erased_at"),
  /** Since when the user is accepted again; 0 while not. What happened before stays dropped. */
  accepted_at: stamp("accepted_at"),
});
