import { sql } from "drizzle-orm";
import type { PartyEvents } from "../../db/contract/party-messages.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Rooms } from "./rooms.ts";

/** Clocks of ingests and of Redis differ by less; what a client has heard already it knows by its id. */
const SLACK_MS = 2_000;
/** Whoever missed more reads it with `GET /parties/:id/messages`. */
const MOST = 500;

/** What was said in a party since a time, oldest first. */
export type MissedChat = (party_id: string, since: number) => Promise<PartyEvents["chat"][]>;

/**
 * For a client that comes back to a process that knows nothing of it, because the one that served it is no more: what
 * it missed of the chat, out of what waits for Postgres and what is there. What the erased said is left out. All else is
 * in the state that it is sent.
 */
export function missedChat(db: Database, rooms: Pick<Rooms, "buffered">): MissedChat {
  return async function missedChat(party_id, since) {
    const from = since - SLACK_MS;
    const missed = new Map<string, PartyEvents["chat"]>();
    // In this order: a flush commits before it lets go.
    const waiting = await rooms.buffered(party_id);
    const rows = await db.execute(sql`
      SELECT event_id, at, media_time, user_id, name, text FROM watch_party_messages
      WHERE party_id = ${party_id} AND at >= ${from} AND user_id IS NOT NULL ORDER BY at, event_id LIMIT ${MOST}
    `);
    for (const { event_id, ...its } of rows as unknown as Stored[]) {
      // `chat:`, the user, a colon, and the id that the client gave it.
      missed.set(event_id, { id: event_id.slice(`chat:${its.user_id}:`.length), ...its });
    }
    for (const record of waiting) {
      if (record.kind !== "chat" || record.user_id === null || record.at < from) continue;
      const { event_id, id, user_id, name, text, at, media_time } = record;
      missed.set(event_id, { id, user_id, name, text, at, media_time });
    }
    return [...missed.values()].sort((one, other) => one.at - other.at).slice(0, MOST);
  };
}

type Stored = Omit<PartyEvents["chat"], "id"> & { event_id: string };
