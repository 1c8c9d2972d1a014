import { sql } from "drizzle-orm";
import {
  comparePlaces,
  type MessagesRequest,
  type PartyMessage,
  placeOfMessage,
} from "../../db/contract/party-lists.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { PartyRecord } from "./room-store.ts";

/**
 * What was said in a party, by where the playback was: up to limit + 1 messages after the cursor, out of Postgres and
 * of what waits for it. A flush commits before it lets go, so what was read of the buffer before Postgres is asked is
 * in one of the two at least; what is in both, or was sent again, is one message, the one that Postgres keeps.
 *
 * @param buffered what waited, oldest first, read before this is called.
 */
export async function loadMessages(
  db: Transaction,
  party_id: string,
  { from, limit, after }: MessagesRequest,
  buffered: readonly PartyRecord[],
): Promise<PartyMessage[]> {
  const waiting = await notStored(db, party_id, messagesOf(buffered));
  const following = after
    ? sql`AND (media_time, at, event_id) > (${after[0]}::float8, ${after[1]}::bigint, ${after[2]})`
    : sql``;
  const later = from === null ? sql`` : sql`AND media_time > ${from}::float8`;
  const rows = await db.execute(sql`
    SELECT event_id, at, media_time, user_id, name, text FROM watch_party_messages
    WHERE party_id = ${party_id} ${following} ${later}
    ORDER BY media_time, at, event_id LIMIT ${limit + 1}
  `);
  const found = new Map((rows as unknown as PartyMessage[]).map((message) => [message.event_id, message]));
  for (const message of waiting) {
    if (after !== null && comparePlaces(placeOfMessage(message), after) <= 0) continue;
    if (from !== null && message.media_time <= from) continue;
    // It was stored between the two questions.
    if (!found.has(message.event_id)) found.set(message.event_id, message);
  }
  return [...found.values()]
    .sort((a, b) => comparePlaces(placeOfMessage(a), placeOfMessage(b)))
    .slice(0, limit + 1);
}

/** Of messages that were sent again the first. */
function messagesOf(buffered: readonly PartyRecord[]): Map<string, PartyMessage> {
  const messages = new Map<string, PartyMessage>();
  for (const record of buffered) {
    if (record.kind !== "chat" || messages.has(record.event_id)) continue;
    const { event_id, at, media_time, user_id, name, text } = record;
    messages.set(event_id, { event_id, at, media_time, user_id, name, text });
  }
  return messages;
}

async function notStored(
  db: Transaction,
  party_id: string,
  messages: ReadonlyMap<string, PartyMessage>,
): Promise<PartyMessage[]> {
  if (messages.size === 0) return [];
  const rows = await db.execute(sql`
    SELECT event_id FROM watch_party_messages
    WHERE party_id = ${party_id} AND event_id = ANY(${column([...messages.keys()], "text")})
  `);
  const stored = new Set((rows as unknown as { event_id: string }[]).map(({ event_id }) => event_id));
  return [...messages.values()].filter(({ event_id }) => !stored.has(event_id));
}
