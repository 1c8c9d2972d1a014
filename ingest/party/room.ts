import type { UserId } from "../../db/contract/ids.ts";
import type { PartyEvents, RoomRefusal } from "../../db/contract/party-messages.ts";

/** A place where a member watches. */
export type Connection = {
  /** The process that serves it, a colon, and its own name there. */
  id: string;
  user_id: UserId;
  name: string | null;
  joined_at: number;
  /** Whether its player can go on from where the room is; nobody waits for one that was waited for in vain. */
  readiness: "preparing" | "ready" | "given_up";
};

/** What a party plays: from `at` on, in server time, it is at `position` seconds. */
export type Playback = { playing: boolean; position: number; at: number };

/** How many there are, how many were last told, and when. */
export type Count = { now: number; told: number; at: number };

/** All that is known of a party that is on. Plain JSON: it lives in Redis. Times are epoch milliseconds. */
export type Room = {
  /** Counts every change: what compare-and-set goes by. */
  rev: number;
  /** Counts changes of the playback: a command that was given to an earlier one is dropped. */
  revision: number;
  /** The last seek: a player that was ready before it has to load again. */
  seek_revision: number;
  playback: Playback;
  /** It plays on as soon as nobody prepares any more, or at this time. */
  waiting: { until: number } | null;
  /** Whose party it is; null when the owner was erased. */
  owner_id: UserId | null;
  /** Who leads: the owner, or who was elected while the owner is away. */
  host_id: UserId | null;
  /** Since when nobody leads who is there; null while somebody does. */
  leaderless_at: number | null;
  co_host_ids: readonly UserId[];
  capacity: number;
  /** Longest present first. */
  connections: readonly Connection[];
  muted: readonly UserId[];
  kicked: readonly UserId[];
  likes: Count;
  viewers: Count;
  ended: PartyEvents["ended"] | null;
};

/** What a room is told, checked already. */
export type RoomMessage =
  | { type: "join"; connection: string; user_id: UserId; name: string | null }
  | { type: "leave"; connection: string }
  /** The connection broke: its member may come back. */
  | { type: "lost"; connection: string }
  /** A process that served connections is no more. */
  | { type: "gone"; process: string }
  | { type: "chat"; connection: string; id: string; text: string }
  | { type: "like"; connection: string; count: number }
  | PlaybackCommand
  | { type: "ready"; connection: string; revision: number }
  | { type: "kick"; connection: string; user_id: UserId }
  | { type: "mute"; connection: string; user_id: UserId; muted: boolean }
  /** By the host, or by the schedule: then there is no connection. */
  | { type: "end"; connection: string | null; reason: PartyEvents["ended"]["reason"] }
  /** A user was erased: nothing here names the user any more. */
  | { type: "forget"; user_id: UserId }
  | { type: "co_hosts"; co_host_ids: readonly UserId[] }
  /** Time passed. */
  | { type: "tick" };

export type PlaybackCommand =
  | { type: "play" | "pause"; connection: string; revision: number }
  | { type: "seek"; connection: string; revision: number; position: number };

/** What a room says: to everybody, or to one connection. */
export type Send = {
  [Name in keyof PartyEvents]: { event: Name; data: PartyEvents[Name]; to?: string };
}[keyof PartyEvents];

export type LogEvent =
  | "opened"
  | "joined"
  | "left"
  | "play"
  | "pause"
  | "seek"
  | "went_on"
  | "host"
  | "kicked"
  | "muted"
  | "unmuted"
  | "ended";

/** What is kept of a party as it happens. `media_time`: where the playback was, in seconds. */
export type RoomRecord = { at: number; media_time: number; user_id: UserId | null } & Kept;
export type Kept =
  | { kind: "chat"; id: string; name: string | null; text: string }
  | { kind: "like"; count: number }
  | { kind: "viewers"; count: number }
  | { kind: "log"; event: LogEvent; data: Readonly<Record<string, unknown>> };

/** What follows from a message: the room as it is then, what is kept, and what is said once that is. */
export type Outcome = { room: Room; records: RoomRecord[]; sends: Send[] };

/** Nothing comes of a message, and its sender is told why. */
export class RoomRefused extends Error {
  override readonly name = "RoomRefused";
  readonly code: RoomRefusal;
  constructor(code: RoomRefusal) {
    super(code);
    this.code = code;
  }
}

/** A party that has just opened: nobody is there yet. */
export function openRoom(its: Pick<Room, "owner_id" | "co_host_ids" | "capacity">, now: number): Room {
  const none: Count = { now: 0, told: 0, at: 0 };
  return {
    ...{
      rev: 0,
      revision: 0,
      seek_revision: 0,
      playback: { playing: false, position: 0, at: now },
      waiting: null,
    },
    ...its,
    ...{ host_id: null, leaderless_at: now, connections: [], muted: [], kicked: [] },
    ...{ likes: none, viewers: none, ended: null },
  };
}
