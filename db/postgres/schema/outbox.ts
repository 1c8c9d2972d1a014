import { bigserial, index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, id } from "./columns.ts";

/** Domain events that were committed with what they tell of, and are not on the bus yet. */
export const outbox = pgTable(
  "outbox",
  {
    user_id: id("user_id").notNull(),
    id: uuid("id").notNull().defaultRandom(),
    /** The order in which they are published. */
    seq: bigserial("seq", { mode: "number" }).notNull(),
    /** A CloudEvent, as JSON. */
    event: text("event").notNull(),
    created_at: createdAt,
  },
  (table) => [primaryKey({ columns: [table.user_id, table.id] }), index("outbox_order").on(table.seq)],
);
