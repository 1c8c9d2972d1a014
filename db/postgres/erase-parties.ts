import { sql } from "drizzle-orm";
import type { UserId } from "../contract/ids.ts";
import { column } from "./batch.ts";
import type { Database } from "./connect.ts";
import { inTransaction, type Transaction } from "./transaction.ts";

/**
 * What watch parties keep of a user, nameless: parties belong to all who were there, so they stay, without saying who
 * it was. Each answers with how many rows there were.
 */

/** Messages that one transaction makes nameless. */
const AT_ONCE = 500;

/** Ids of messages name their senders. The same id gives the same nameless one, so what comes again is still known. */
export type NamelessId = (event_id: string) => string;

/** What the user said stays, said by nobody. */
export async function namelessMessages(db: Database, user: UserId, nameless: NamelessId): Promise<number> {
  let messages = 0;
  for (;;) {
    const some = await inTransaction(db, (tx) => nameSome(tx, user, nameless));
    messages += some;
    if (some < AT_ONCE) return messages;
  }
}

async function nameSome(tx: Transaction, user: UserId, nameless: NamelessId): Promise<number> {
  const found = await tx.execute(sql`
    SELECT party_id, event_id FROM watch_party_messages WHERE user_id = ${user}
    ORDER BY party_id, event_id LIMIT ${AT_ONCE} FOR UPDATE
  `);
  const rows = found as unknown as { party_id: string; event_id: string }[];
  if (rows.length === 0) return 0;
  const parties = rows.map(({ party_id }) => party_id);
  const before = rows.map(({ event_id }) => event_id);
  const after = before.map(nameless);
  const its = sql`unnest(${column(parties, "text")}, ${column(before, "text")}, ${column(after, "text")})
    AS i (party_id, before, after)`;
  // One that came again meanwhile is nameless already.
  await tx.execute(sql`
    DELETE FROM watch_party_messages m USING ${its} WHERE m.party_id = i.party_id AND m.event_id = i.before
      AND EXISTS (SELECT FROM watch_party_messages o WHERE o.party_id = i.party_id AND o.event_id = i.after)
  `);
  await tx.execute(sql`
    UPDATE watch_party_messages m SET event_id = i.after, user_id = NULL, name = NULL FROM ${its}
    WHERE m.party_id = i.party_id AND m.event_id = i.before
  `);
  return rows.length;
}

/** What happened stays: neither who did it nor to whom it was done. */
export async function namelessLogs(db: Database, user: UserId): Promise<number> {
  const rows = await db.execute(sql`
    UPDATE watch_party_logs SET user_id = nullif(user_id, ${user}),
      data = CASE WHEN data->>'user_id' = ${user} THEN data - 'user_id' ELSE data END
    WHERE user_id = ${user} OR data->>'user_id' = ${user} RETURNING 1
  `);
  return rows.length;
}

/** Likes stay counted. */
export async function namelessLikes(db: Database, user: UserId): Promise<number> {
  const rows = await db.execute(sql`
    UPDATE watch_party_likes SET user_id = NULL WHERE user_id = ${user} RETURNING 1
  `);
  return rows.length;
}

/** Parties that the user hosted or helped to host. Nobody is left who could: those that are on end, others are called off. */
export async function hostlessParties(db: Database, user: UserId, now: number): Promise<number> {
  const hosted = await db.execute(sql`
    UPDATE watch_parties SET host_id = NULL, updated_at = now(),
      status = CASE status WHEN 'SCHEDULED' THEN 'CANCELLED' WHEN 'ONGOING' THEN 'FINISHED' ELSE status END,
      ended_at = CASE WHEN status IN ('SCHEDULED', 'ONGOING') THEN greatest(${now}::bigint, started_at)
        ELSE ended_at END
    WHERE host_id = ${user} RETURNING 1
  `);
  const helped = await db.execute(sql`
    UPDATE watch_parties SET co_host_ids = array_remove(co_host_ids, ${user}::text), updated_at = now()
    WHERE co_host_ids @> ARRAY[${user}::text] RETURNING 1
  `);
  return hosted.length + helped.length;
}
