import type { Viewer } from "../../db/contract/access.ts";
import type { PartyStatus } from "../../db/contract/party-lists.ts";
import {
  type PartyMessage,
  type PartyMessages,
  partyMessage,
  type RoomRefusal,
} from "../../db/contract/party-messages.ts";
import { type Fault, Refusal } from "../../db/contract/refusals.ts";
import type { Log } from "../observe/log.ts";
import type { Parties } from "./parties.ts";
import { type RoomMessage, RoomRefused } from "./room.ts";
import type { Rooms } from "./rooms.ts";

/** A connection of somebody who watches with others. */
export type Member = {
  /** Its name in rooms. */
  connection: string;
  viewer: Viewer;
  /** The one party that it is in, and what its user is called there. */
  party_id: string | null;
  name: string | null;
};

export type Answer =
  | { ok: true }
  | { sent_at: number; server_time: number }
  | { refused: RoomRefusal; errors?: readonly Fault[] };

/** Hears what a client says, whatever that is. Never throws: what comes of it, or why nothing does, is the answer. */
export function listener(deps: HearDeps): (member: Member, event: string, input: unknown) => Promise<Answer> {
  const { rooms, parties, unheard, nameOf, isErased, clock, log } = deps;

  async function hear(member: Member, event: string, input: unknown): Promise<Answer> {
    try {
      const message = partyMessage(event, input);
      if (message === null) return { refused: "unknown_event" };
      if (message.event === "ping") return { ...message.input, server_time: clock() };
      if (message.event === "join") await join(member, message.input);
      else if (message.event === "leave") await leave(member);
      else await tell(member, message);
      return { ok: true };
    } catch (error) {
      return await refusalOf(member, event, error);
    }
  }

  async function join(member: Member, { party_id, invite }: PartyMessages["join"]): Promise<void> {
    const { viewer } = member;
    const party = await parties.find(party_id);
    if (party === null) throw new RoomRefused("not_found");
    // That there is one is for those to know who may come, over REST as well.
    if (!parties.mayJoin(viewer, party, invite)) throw new RoomRefused("not_found");
    if (OVER.includes(party.status)) throw new RoomRefused("finished");
    // A connection is in one party.
    if (member.party_id !== null && member.party_id !== party_id) await leave(member);

    if (await isErased(viewer.user_id)) throw new RoomRefused("forbidden");
    member.name = await nameOf(viewer.user_id);
    try {
      await rooms.tell(party_id, joining(member));
    } catch (error) {
      if (!(error instanceof RoomRefused)) unheard.add(party_id);
      throw error;
    }
    member.party_id = party_id;
    // The buffer says so as well: this only makes it known sooner.
    parties.joined(party_id, viewer.user_id).catch((error: unknown) => {
      log.warn({ error, party_id }, "a party is not yet among those of a member");
    });
  }

  async function leave(member: Member): Promise<void> {
    const { party_id, connection } = member;
    if (party_id === null) throw new RoomRefused("not_joined");
    member.party_id = null;
    try {
      await rooms.tell(party_id, { type: "leave", connection });
    } catch (error) {
      if (error instanceof RoomRefused && error.code === "not_open") return;
      member.party_id = party_id;
      throw error;
    }
  }

  async function tell({ party_id, connection }: Member, { event, input }: ToldToRoom): Promise<void> {
    if (party_id === null) throw new RoomRefused("not_joined");
    const more = event === "end" ? { reason: "host" } : input;
    await rooms.tell(party_id, { ...more, type: event, connection } as RoomMessage);
  }

  async function refusalOf(member: Member, event: string, error: unknown): Promise<Answer> {
    if (error instanceof Refusal && error.code === "invalid_input") {
      return { refused: "invalid_input", errors: error.extra.errors ?? [] };
    }
    if (error instanceof RoomRefused) {
      if (error.code !== "not_open" || event === "join") return { refused: error.code };
      // A room that is gone was open once: its party is over, unless its Redis was lost.
      const party = await parties.find(member.party_id ?? "").catch(() => null);
      return { refused: party && !OVER.includes(party.status) ? "not_open" : "finished" };
    }
    log.warn({ error, event }, "a message to a party may be lost");
    return { refused: "unavailable" };
  }

  return hear;
}

/** What a room is told of somebody who comes, or comes again. */
export function joining({ connection, viewer, name }: Member): RoomMessage {
  return { type: "join", connection, user_id: viewer.user_id, name };
}

const OVER: readonly PartyStatus[] = ["FINISHED", "CANCELLED"];

type ToldToRoom = Exclude<PartyMessage, { event: "join" | "leave" | "ping" }>;

export type HearDeps = {
  rooms: Pick<Rooms, "tell">;
  parties: Pick<Parties, "find" | "mayJoin" | "joined">;
  /** Parties whose rooms may know connections of this process that are not in them. */
  unheard: Set<string>;
  /** What a member is called by the others. Never throws. */
  nameOf: (user: Viewer["user_id"]) => Promise<string | null>;
  /** Was somebody erased, and is not accepted again? As the Redis of the stream knows. */
  isErased: (user: Viewer["user_id"]) => Promise<boolean>;
  clock: () => number;
  log: Log;
};
