import type { Member } from "./hear.ts";
import { rejoin } from "./rejoin.ts";
import { RoomRefused } from "./room.ts";
import type { RoomStore } from "./room-store.ts";
import type { Rooms } from "./rooms.ts";

/**
 * Rooms have the connections that are served here, and no others of this process, whatever was lost on the way there:
 * in an outage nobody knows what a room was told, and a process that was given up may live.
 */
export async function lookAtOwn(deps: LookDeps): Promise<void> {
  const parties = new Set(deps.unheard);
  for (const { party_id } of deps.members()) if (party_id !== null) parties.add(party_id);
  for (const party_id of parties) await look(deps, party_id);
}

async function look({ store, rooms, members, unheard, process }: LookDeps, party_id: string): Promise<void> {
  const room = await store.load(party_id);
  if (room === null || room.ended) {
    unheard.delete(party_id);
    return;
  }
  const there = room.connections.map(({ id }) => id);
  for (const member of members()) {
    if (member.party_id === party_id && !there.includes(member.connection)) await rejoin(rooms, member);
  }
  const here = new Map(members().map((member) => [member.connection, member]));
  const strangers = there.filter((id) => id.startsWith(`${process}:`) && here.get(id)?.party_id !== party_id);
  for (const connection of strangers) {
    // One that is connected may be about to join.
    if (here.has(connection)) continue;
    await rooms.tell(party_id, { type: "lost", connection }).catch(unlessRefused);
  }
  if (strangers.length === 0) unheard.delete(party_id);
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof RoomRefused)) throw error;
}

export type LookDeps = {
  store: Pick<RoomStore, "load">;
  rooms: Pick<Rooms, "tell">;
  /** Who is connected to this process. */
  members: () => readonly Member[];
  /** Parties whose rooms may know connections of this process that are not in them. */
  unheard: Set<string>;
  /** The name of this process. */
  process: string;
};
