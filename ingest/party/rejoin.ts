import { joining, type Member } from "./hear.ts";
import { RoomRefused } from "./room.ts";
import type { Rooms } from "./rooms.ts";

/** A connection that was in a party is in it again; or no more, when its room does not want it. Throws in an outage. */
export async function rejoin(rooms: Pick<Rooms, "tell">, member: Member): Promise<void> {
  if (member.party_id === null) return;
  try {
    await rooms.tell(member.party_id, joining(member));
  } catch (error) {
    if (!(error instanceof RoomRefused)) throw error;
    // Of a party that is over it stays a member: whatever it says is answered by that.
    if (error.code === "kicked" || error.code === "full") member.party_id = null;
  }
}
