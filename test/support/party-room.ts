import type { UserId } from "../../db/contract/ids.ts";
import type { RoomMember, RoomState } from "../../db/contract/party-messages.ts";
import { reduce } from "../../ingest/party/reduce.ts";
import {
  openRoom,
  type Room,
  type RoomMessage,
  type RoomRecord,
  RoomRefused,
  type Send,
} from "../../ingest/party/room.ts";

export const OWNER = "owner" as UserId;
/** When the room of these tests opens. */
export const OPENED = 1_000_000;

/** A room that is told one thing after the other, with what it said and kept of each. */
export function roomOf(its: Partial<Parameters<typeof openRoom>[0]> = {}) {
  let room = openRoom({ owner_id: OWNER, co_host_ids: [], capacity: 50, ...its }, OPENED);
  const kept: RoomRecord[] = [];
  return {
    get room(): Room {
      return room;
    },
    kept,
    /** @returns what is said, or the code of the refusal. */
    tell(message: RoomMessage, at: number): Send[] | string {
      try {
        const outcome = reduce(room, message, at);
        room = outcome.room;
        kept.push(...outcome.records);
        return outcome.sends;
      } catch (error) {
        if (error instanceof RoomRefused) return error.code;
        throw error;
      }
    },
    join(user: string, at: number, connection = `p1:${user}`): Send[] | string {
      return this.tell({ type: "join", connection, user_id: user as UserId, name: null }, at);
    },
  };
}

/** What a client knows of a room, by what it was sent, in whatever order that came. */
export type KnownRoom = {
  state: RoomState | null;
  members: Map<UserId, { rev: number; member: RoomMember | null }>;
  viewers: { rev: number; count: number };
  likes: number;
  ended: boolean;
};

export function nothingKnown(): KnownRoom {
  return { state: null, members: new Map(), viewers: { rev: -1, count: 0 }, likes: 0, ended: false };
}

export function learn(known: KnownRoom, send: Send): void {
  switch (send.event) {
    case "state": {
      const { members, likes, viewers, ...state } = send.data;
      if (known.state === null || state.rev > known.state.rev) known.state = state;
      if (members === undefined) return;
      for (const [user, its] of known.members) {
        if (its.rev <= state.rev) known.members.set(user, { rev: state.rev, member: null });
      }
      for (const member of members) learnMember(known, state.rev, member.user_id, member);
      known.likes = Math.max(known.likes, likes ?? 0);
      if (state.rev > known.viewers.rev) known.viewers = { rev: state.rev, count: viewers ?? 0 };
      return;
    }
    case "member_joined": {
      const { rev, ...member } = send.data;
      learnMember(known, rev, member.user_id, member);
      return;
    }
    case "member_left":
      learnMember(known, send.data.rev, send.data.user_id, null);
      return;
    case "likes":
      known.likes = Math.max(known.likes, send.data.total);
      return;
    case "viewers":
      if (send.data.rev > known.viewers.rev) known.viewers = send.data;
      return;
    case "ended":
      known.ended = true;
  }
}

function learnMember(known: KnownRoom, rev: number, user: UserId, member: RoomMember | null): void {
  if ((known.members.get(user)?.rev ?? -1) <= rev) known.members.set(user, { rev, member });
}

export function membersKnown({ members }: KnownRoom): UserId[] {
  return [...members].flatMap(([user, { member }]) => (member ? [user] : [])).sort();
}
