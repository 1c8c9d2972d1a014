import type { Redis } from "ioredis";
import {
  partiesDue,
  partyBroadcasts,
  partyBuffer,
  partyDead,
  partyFlushClaim,
  partyRoomKey,
} from "../../db/redis/keys.ts";
import {
  advancePartyRoom,
  closePartyRoom,
  openPartyRoom,
  settlePartyBuffer,
} from "../../db/redis/party-scripts.ts";
import { runScript } from "../redis.ts";
import type { Broadcast } from "./broadcasts.ts";
import { dueAt } from "./reduce.ts";
import type { Room, RoomRecord } from "./room.ts";

/** What is kept of a party, under an id that repeats when the same is told again. */
export type PartyRecord = RoomRecord & { party_id: string; event_id: string };

/** A record as it waits to be in Postgres: JSON that nobody has looked at yet. */
export type Buffered = { id: string; payload: string };

/** So many broadcasts stay for processes that are behind and for clients that come back. */
const BROADCASTS_KEPT = 20_000;

/** Rooms and their buffers, in the Redis of the stream. @throws when it is away: nothing is known then. */
export function roomStore(redis: Redis): RoomStore {
  return {
    async open(party_id, room, { kept, said }) {
      const args = [party_id, room.rev, JSON.stringify(room), attentionAt(room), ...packed(kept, said)];
      return (await runScript(redis, openPartyRoom, keysOf(party_id), args)) === 1;
    },

    async load(party_id) {
      const text = await redis.hget(partyRoomKey(party_id), "room");
      return text === null ? null : (JSON.parse(text) as Room);
    },

    async advance(party_id, before, { room, kept, said }) {
      const changed = room === before ? "" : JSON.stringify(room);
      const args = [party_id, before.rev, room.rev, changed, attentionAt(room), ...packed(kept, said)];
      const reply = (await runScript(redis, advancePartyRoom, keysOf(party_id), args)) as AdvanceReply;
      if (reply[0] === "set") return { state: "set", buffered: reply[1] };
      return reply[0] === "gone" ? { state: "gone" } : { state: "changed", room: JSON.parse(reply[1]) };
    },

    async buffered(party_id, max, after = "") {
      const from = after === "" ? "-" : `(${after}`;
      const entries = await redis.xrange(partyBuffer(party_id), from, "+", "COUNT", max);
      return entries.map(([id, fields]) => ({ id, payload: fields[1] ?? "" }));
    },

    async settle(party_id, last, poison) {
      const args = poison.flatMap(({ id, payload, reason }) => [id, payload, reason]);
      await runScript(redis, settlePartyBuffer, [partyBuffer(party_id), partyDead], [last, ...args]);
    },

    async close(party_id, room) {
      const keys = [partyRoomKey(party_id), partyBuffer(party_id), partiesDue];
      return (await runScript(redis, closePartyRoom, keys, [party_id, room?.rev ?? ""])) === 1;
    },

    claim: async (party_id, ms) =>
      (await redis.set(partyFlushClaim(party_id), "1", "PX", Math.ceil(ms), "NX")) === "OK",

    due: (before, max) => redis.zrange(partiesDue, "-inf", before, "BYSCORE", "LIMIT", 0, max),

    all: () => redis.zrange(partiesDue, 0, -1),

    async waiting(party_ids) {
      const pipeline = redis.pipeline();
      for (const party_id of party_ids) {
        pipeline.xlen(partyBuffer(party_id));
        pipeline.xrange(partyBuffer(party_id), "-", "+", "COUNT", 1);
      }
      const replies = (await pipeline.exec()) ?? [];
      return party_ids.map((party_id, n) => {
        const [, count] = replies[2 * n] as [Error | null, number];
        const [, first] = replies[2 * n + 1] as [Error | null, [string, string[]][]];
        return { party_id, count, since: Number(first?.[0]?.[0].split("-")[0] ?? 0) };
      });
    },
  };
}

/** When somebody has to look after a room at the latest: one that has ended is to be flushed and closed. */
function attentionAt(room: Room): number | "inf" {
  return room.ended ? 0 : (dueAt(room) ?? "inf");
}

function packed(kept: readonly PartyRecord[], said: readonly Broadcast[]): (string | number)[] {
  const args: (string | number)[] = [kept.length];
  for (const record of kept) args.push(JSON.stringify(record));
  args.push(BROADCASTS_KEPT);
  for (const { namespace, type, data, by, asked } of said) args.push(namespace, type, data, by, asked);
  return args;
}

function keysOf(party_id: string): string[] {
  return [partyRoomKey(party_id), partyBuffer(party_id), partiesDue, partyBroadcasts];
}

type AdvanceReply = ["set", number] | ["changed", string] | ["gone"];

/** What goes to Redis in one step. */
export type Written = { kept: readonly PartyRecord[]; said: readonly Broadcast[] };

export type Advanced =
  | { state: "set"; buffered: number }
  | { state: "changed"; room: Room }
  | { state: "gone" };

export type RoomStore = {
  /** False when there was one, which stays as it is. */
  open(party_id: string, room: Room, its: Written): Promise<boolean>;
  load(party_id: string): Promise<Room | null>;
  /** Sets the room, keeps and says, all or nothing: only if the room is still the one before. */
  advance(party_id: string, before: Room, its: Written & { room: Room }): Promise<Advanced>;
  /** The oldest that wait, or the oldest after one of them. */
  buffered(party_id: string, max: number, after?: string): Promise<Buffered[]>;
  /** Lets go of what waits, up to and with the last; poison goes to quarantine. */
  settle(party_id: string, last: string, poison: readonly (Buffered & { reason: string })[]): Promise<void>;
  /** Forgets a party; false when anything came since its room was seen. */
  close(party_id: string, room: Room | null): Promise<boolean>;
  /** Says for so long that somebody flushes a party; false when somebody else said so. */
  claim(party_id: string, ms: number): Promise<boolean>;
  /** Parties that somebody had to look after before a time. */
  due(before: number, max: number): Promise<string[]>;
  all(): Promise<string[]>;
  /** How much waits of each party, and since when; 0 for nothing. */
  waiting(party_ids: readonly string[]): Promise<{ party_id: string; count: number; since: number }[]>;
};
