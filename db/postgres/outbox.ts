import { sql } from "drizzle-orm";
import type { CloudEvent } from "../contract/cloud-events.ts";
import { column } from "./batch.ts";
import type { Transaction } from "./transaction.ts";

/** Commits domain events together with what they tell of. They are on the bus later, in this order, at least once. */
export async function putInOutbox(tx: Transaction, events: readonly CloudEvent[]): Promise<void> {
  if (events.length === 0) return;
  const users = events.map(({ subject }) => subject);
  const texts = events.map((event) => JSON.stringify(event));
  await tx.execute(sql`
    INSERT INTO outbox (user_id, event)
    SELECT user_id, event FROM unnest(${column(users, "text")}, ${column(texts, "text")})
      WITH ORDINALITY AS e (user_id, event, n) ORDER BY n
  `);
}
