import type { RoomRecord } from "./room.ts";
import type { PartyRecord } from "./room-store.ts";

/** A record under its id. A chat message has the one that its client gave it: sent again, it is the same message. */
export function recordOf(party_id: string, record: RoomRecord, newId: () => string): PartyRecord {
  const event_id = record.kind === "chat" ? `chat:${record.user_id}:${record.id}` : newId();
  return { party_id, event_id, ...record };
}
