import { endOf, type Party } from "../../db/contract/parties.ts";
import type { RoomRefusal } from "../../db/contract/party-messages.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { loadParty } from "./load-party.ts";
import type { Parties } from "./parties.ts";
import { type RoomMessage, RoomRefused } from "./room.ts";
import type { Rooms } from "./rooms.ts";
import { markFlushed } from "./store-party.ts";
import type { Standing } from "./transitions.ts";

/** Rooms that are looked after at the same time. */
const AT_ONCE = 20;

/** Parties whose rooms this process has brought in line with Postgres, by the status that they had. */
export type Tended = Map<string, Standing["status"]>;

/**
 * Brings rooms in line with what Postgres says of their parties: those of parties that are on are open and know their
 * co-hosts, those of parties that are over have ended. All of it may be repeated, and done by several at once.
 *
 * @param tended what need not be looked at again: what was done is added, what is no more is dropped.
 * @returns the errors of those that could not be reached; when that is everybody, the rest is not tried.
 */
export async function tendRooms(
  deps: TendDeps,
  standing: readonly Standing[],
  tended: Tended,
): Promise<unknown[]> {
  const known = new Set(standing.map(({ party_id }) => party_id));
  for (const party_id of tended.keys()) if (!known.has(party_id)) tended.delete(party_id);

  const failed: unknown[] = [];
  const untended = standing.filter(({ party_id, status }) => tended.get(party_id) !== status);
  for (let at = 0; at < untended.length; at += AT_ONCE) {
    const some = untended.slice(at, at + AT_ONCE);
    const failedBefore = failed.length;
    const tending = some.map(async ({ party_id, status }) => {
      try {
        await tendRoom(deps, party_id);
        tended.set(party_id, status);
      } catch (error) {
        failed.push(error);
      }
    });
    await Promise.all(tending);
    // It is not about them: to wait for the others as well would keep the schedule from its work.
    if (failed.length - failedBefore === some.length) break;
  }
  return failed;
}

async function tendRoom(deps: TendDeps, party_id: string): Promise<void> {
  const party = await loadParty(deps.db, party_id);
  if (party === null || party.flushed_at > 0) return;
  await (party.status === "ONGOING" ? keepOpen(deps, party) : close(deps, party));
}

async function keepOpen(deps: TendDeps, party: Party): Promise<void> {
  const { db, rooms, parties } = deps;
  const { party_id, host_id, co_host_ids } = party;
  // The host was erased.
  if (host_id === null) return await parties.ended(party_id, "cancelled");
  await rooms.open({ party_id, owner_id: host_id, co_host_ids, capacity: parties.capacity });
  const refused = await refusalOf(rooms, party_id, { type: "co_hosts", co_host_ids });
  // The host has ended it, and whoever served the host did not come to say so in Postgres.
  if (refused === "finished") await parties.ended(party_id, "host");
  // Had it ended while its room was opened, that room may have been forgotten before, and nobody would end it again.
  const after = await loadParty(db, party_id);
  if (after?.status === "FINISHED") await close(deps, after);
}

async function close({ db, rooms, clock }: TendDeps, party: Party): Promise<void> {
  const reason = party.ended_at >= endOf(party) ? "schedule" : "cancelled";
  const refused = await refusalOf(rooms, party.party_id, { type: "end", connection: null, reason });
  // There never was a room, or it is closed already: nobody else will come to say that nothing is missing.
  if (refused !== "not_open" || (await rooms.buffered(party.party_id)).length > 0) return;
  await markFlushed(db, party.party_id, clock());
}

/** Why a room does not listen; null when it does. */
async function refusalOf(rooms: Rooms, party_id: string, message: RoomMessage): Promise<RoomRefusal | null> {
  try {
    await rooms.tell(party_id, message);
    return null;
  } catch (error) {
    if (error instanceof RoomRefused && error.code !== "unavailable") return error.code;
    throw error;
  }
}

export type TendDeps = {
  db: Database;
  rooms: Rooms;
  parties: Pick<Parties, "ended" | "capacity">;
  clock: () => number;
};
