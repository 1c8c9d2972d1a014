import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

/** An id. Compared as bytes, as everywhere, whatever the locale of the database. */
export const id = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

/**
 * When something happened, in epoch milliseconds; 0 for never. The same number in events, rows, Redis scores
 * and cursors, so that no rounding can make two sides disagree about what is newer.
 */
export function stamp(name: string) {
  return bigint(name, { mode: "number" }).notNull().default(0);
}

export const createdAt = timestamp("created_at", { withTimezone: true }).notNull().defaultNow();
export const updatedAt = timestamp("updated_at", { withTimezone: true }).notNull().defaultNow();
