import type { Log } from "../observe/log.ts";
import type { Parties } from "./parties.ts";
import type { RoomStore } from "./room-store.ts";

/**
 * Finishes with a party: it is over in Postgres as well, everything that was said in it is there, and only then is its
 * room forgotten. What is left of one that has no room is brought to Postgres, too. A crash between any two steps leaves
 * the rest to whoever comes next, for all of it may be repeated.
 */
export function partyFinisher(deps: FinishDeps): (party_id: string) => Promise<void> {
  const { store, parties, flush, markFlushed, log } = deps;
  return async function finish(party_id) {
    const room = await store.load(party_id);
    if (room !== null && room.ended === null) return;
    if (room?.ended) await parties.ended(party_id, room.ended.reason);
    await flush(party_id);
    // Something came meanwhile: somebody comes again.
    if (!(await store.close(party_id, room))) return;
    await markFlushed(party_id);
    if (room !== null) log.info({ party_id }, "room closed");
  };
}

export type FinishDeps = {
  store: Pick<RoomStore, "load" | "close">;
  parties: Pick<Parties, "ended">;
  flush: (party_id: string) => Promise<void>;
  /** Says in Postgres that nothing of a party is missing there. */
  markFlushed: (party_id: string) => Promise<void>;
  log: Log;
};
