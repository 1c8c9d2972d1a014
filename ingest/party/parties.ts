import type { Viewer } from "../../db/contract/access.ts";
import type { PartyEnd } from "../../db/contract/event-data.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { newParty, type Party, type PartyInput, type PartyPatch } from "../../db/contract/parties.ts";
import type {
  LogsRequest,
  MessagesRequest,
  PartiesRequest,
  PartyLog,
  PartyMessage,
} from "../../db/contract/party-lists.ts";
import { mayJoinParty, maySeeParty, noSuchParty } from "../../db/contract/party-rights.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { inTransaction } from "../../db/postgres/transaction.ts";
import type { Log } from "../observe/log.ts";
import { listParties } from "./list-parties.ts";
import { loadLikes, loadLogs, loadSamples } from "./load-logs.ts";
import { loadMessages } from "./load-messages.ts";
import { loadParty, wasMember } from "./load-party.ts";
import { peakIn } from "./peak.ts";
import { RoomRefused } from "./room.ts";
import type { PartyRecord } from "./room-store.ts";
import type { Rooms } from "./rooms.ts";
import { changeParty, insertMember, insertParty, type RefuseErased } from "./store-party.ts";
import { type Endable, endParties } from "./transitions.ts";
import { viewing } from "./viewing.ts";

/**
 * Parties as Postgres has them, and what follows for their rooms.
 *
 * Everything throws Refusal `unavailable` while a store that it needs is out of reach.
 */
export type Parties = {
  /** Members at most. */
  capacity: number;
  find(party_id: string): Promise<Party | null>;
  /** May the viewer come in? Only the room knows whether there is a place, and who was sent away. */
  mayJoin(viewer: Viewer, party: Party, invite?: string | null): boolean;
  /** Somebody came: from now on the party is one of their own. What is lost here, a flush brings. */
  joined(party_id: string, user: UserId): Promise<void>;
  /** It is over in the room: it is in Postgres as well, and published, once. What is over already stays as it is. */
  ended(party_id: string, reason: PartyEnd): Promise<void>;

  /** @throws Refusal `erased` */
  create(host: UserId, input: PartyInput): Promise<Party>;
  list(user: UserId, request: PartiesRequest): Promise<Party[]>;
  /** @throws Refusal `not_found` for one that the viewer may not know of as well. */
  see(viewer: Viewer, party_id: string, invite: string | null): Promise<Party>;
  /** @throws Refusal `wrong_state`, `invalid_input`, `erased` for a co-host who was */
  change(party_id: string, patch: PartyPatch): Promise<Party>;
  /** Calls it off, or ends it where it is on. To do so again changes nothing. */
  cancel(party: Party): Promise<void>;
  /** Up to limit + 1. */
  messages(party: Party, request: MessagesRequest): Promise<PartyMessage[]>;
  logs(party: Party, request: LogsRequest): Promise<PartyLogs>;
};

/** Up to limit + 1 of the logs. */
export type PartyLogs = { likes: number; peak: number; average: number; logs: PartyLog[] };

export function partyLibrary(deps: PartyDeps): Parties {
  const { db, rooms, clock, newId, capacity, refuseErased, within, log } = deps;
  const { see, ...readable } = readers(deps);

  async function end(party_id: string, its: { reason: PartyEnd; only: Endable }): Promise<boolean> {
    // Nobody has watched what has not begun.
    const waiting = its.only === "SCHEDULED" ? [] : await bufferedOf(rooms, party_id);
    const peaks = new Map([[party_id, peakIn(waiting)]]);
    const ended = await within(endParties(db, [party_id], { ...its, now: clock(), peaks }));
    if (ended.length > 0) log.info({ party_id, reason: its.reason }, "party over");
    return ended.length > 0;
  }

  /** What the room is not told now, the schedule tells it soon. */
  async function tell(party_id: string, message: Parameters<Rooms["tell"]>[1]): Promise<void> {
    try {
      await rooms.tell(party_id, message);
    } catch (error) {
      if (!(error instanceof RoomRefused)) log.warn({ error, party_id }, "a party's room learns of it later");
    }
  }

  return {
    capacity,
    see,
    ...readable,

    mayJoin: (viewer, party, invite) => mayJoinParty(viewer, party, invite ?? null),
    joined: (party_id, user_id) =>
      within(
        inTransaction(db, async (tx) => {
          await refuseErased(tx, user_id);
          await insertMember(tx, { party_id, user_id, at: clock() });
        }),
      ),
    async ended(party_id, reason) {
      await end(party_id, { reason, only: "ONGOING" });
    },

    async create(host_id, input) {
      const its = { party_id: newId(), host_id, invite_code: newId(), now: clock() };
      const party = newParty(input, its);
      const inserted = inTransaction(db, async (tx) => {
        await refuseErased(tx, host_id);
        await insertParty(tx, party);
      });
      await within(inserted);
      return party;
    },

    async change(party_id, patch) {
      const { before, after } = await within(
        changeParty(db, party_id, { patch, now: clock(), refuseErased }),
      );
      const moved = before.co_host_ids.join(" ") !== after.co_host_ids.join(" ");
      const { status, co_host_ids } = after;
      if (status === "ONGOING" && moved) await tell(party_id, { type: "co_hosts", co_host_ids });
      return after;
    },

    async cancel({ party_id, status }) {
      if (status === "FINISHED" || status === "CANCELLED") return;
      const reason = "cancelled";
      if (await end(party_id, { reason, only: "SCHEDULED" })) return;
      if (!(await end(party_id, { reason, only: "ONGOING" }))) return;
      await tell(party_id, { type: "end", connection: null, reason });
    },
  };
}

function readers({ db, rooms, clock, within }: PartyDeps) {
  const find = (party_id: string) => within(loadParty(db, party_id));

  /** What happened and may not be in Postgres yet. */
  async function buffered({ party_id, started_at, flushed_at }: Party): Promise<PartyRecord[]> {
    return started_at === 0 || flushed_at > 0 ? [] : await bufferedOf(rooms, party_id);
  }

  return {
    find,

    list: (user: UserId, request: PartiesRequest) => within(listParties(db, user, request)),

    async see(viewer: Viewer, party_id: string, invite: string | null): Promise<Party> {
      const party = await find(party_id);
      if (party === null) throw noSuchParty();
      if (maySeeParty(viewer, party, invite)) return party;
      if (await within(wasMember(db, party_id, viewer.user_id))) return party;
      throw noSuchParty();
    },

    async messages(party: Party, request: MessagesRequest): Promise<PartyMessage[]> {
      return await within(loadMessages(db, party.party_id, request, await buffered(party)));
    },

    async logs(party: Party, request: LogsRequest): Promise<PartyLogs> {
      const { party_id, started_at, ended_at } = party;
      const waiting = await buffered(party);
      const [logs, likes, samples] = await within(
        Promise.all([
          loadLogs(db, party_id, request, waiting),
          loadLikes(db, party_id, waiting),
          loadSamples(db, party_id, waiting),
        ]),
      );
      return { logs, likes, ...viewing(samples, { from: started_at, to: ended_at || clock() }) };
    },
  };
}

/** What waits for Postgres. @throws Refusal `unavailable` */
async function bufferedOf(rooms: Pick<Rooms, "buffered">, party_id: string): Promise<PartyRecord[]> {
  try {
    return await rooms.buffered(party_id);
  } catch (cause) {
    throw new Refusal("unavailable", "the parties are out of reach", { cause, retryAfterSeconds: 5 });
  }
}

export type PartyDeps = {
  db: Database;
  rooms: Rooms;
  clock: () => number;
  newId: () => string;
  capacity: number;
  /** @throws Refusal `erased` */
  refuseErased: RefuseErased;
  /** What Postgres says. @throws Refusal `unavailable` while it is out of reach. */
  within: <T>(asking: Promise<T>) => Promise<T>;
  log: Log;
};
