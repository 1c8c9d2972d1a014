import { reduce } from "../../ingest/party/reduce.ts";
import { openRoom, type Room, type RoomMessage, RoomRefused } from "../../ingest/party/room.ts";
import type { PartyRecord } from "../../ingest/party/room-store.ts";
import type { Rooms } from "../../ingest/party/rooms.ts";

/** Rooms without a store: what they are told, they do at once, until they are cut off. */
export function roomsInMemory(clock: () => number) {
  const rooms = new Map<string, Room>();
  const records: PartyRecord[] = [];
  const asked: string[] = [];
  const told: [party_id: string, type: RoomMessage["type"] | "open"][] = [];
  let away: (party_id: string) => boolean = () => false;

  function mustBeThere(party_id: string): void {
    asked.push(party_id);
    if (away(party_id)) throw new Error("the rooms are away");
  }

  const its: Rooms = {
    async open({ party_id, ...party }) {
      mustBeThere(party_id);
      told.push([party_id, "open"]);
      if (!rooms.has(party_id)) rooms.set(party_id, openRoom(party, clock()));
    },
    async tell(party_id, message) {
      mustBeThere(party_id);
      told.push([party_id, message.type]);
      const before = rooms.get(party_id);
      if (!before) throw new RoomRefused("not_open");
      const { room, records: kept } = reduce(before, message, clock());
      rooms.set(party_id, room);
      for (const record of kept) records.push({ ...record, party_id, event_id: `e-${records.length}` });
      return room;
    },
    async buffered(party_id) {
      mustBeThere(party_id);
      return records.filter((record) => record.party_id === party_id);
    },
  };

  return {
    ...its,
    rooms,
    records,
    told,
    /** Whom somebody tried to reach. */
    asked,
    /** All of them, or one. */
    cutOff: (cut: boolean | string) => {
      away = (party_id) => cut === true || cut === party_id;
    },
  };
}
