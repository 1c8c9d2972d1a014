import type { UserId } from "../../db/contract/ids.ts";
import type { RoomMember, RoomState } from "../../db/contract/party-messages.ts";
import {
  type Connection,
  type Kept,
  type Outcome,
  type Playback,
  type Room,
  type RoomRecord,
  RoomRefused,
  type Send,
} from "./room.ts";

/** A message at work: what comes of it so far. The room that it began with is never changed, only replaced. */
export type Step = {
  readonly now: number;
  readonly before: Room;
  /** Of the room that comes of it. */
  readonly rev: number;
  room: Room;
  records: RoomRecord[];
  sends: Send[];
  /** Whom to tell the state in the end, in full: those who have just come. */
  newcomers: string[];
};

export function begin(room: Room, now: number): Step {
  return { now, before: room, rev: room.rev + 1, room, records: [], sends: [], newcomers: [] };
}

export function change(step: Step, its: Partial<Room>): void {
  step.room = { ...step.room, ...its };
}

/** Keeps what happened, where the playback was as it did. */
export function keep(step: Step, user_id: UserId | null, kept: Kept): void {
  const media_time = positionAt(step.before.playback, step.now);
  step.records.push({ at: step.now, media_time, user_id, ...kept });
}

export function say(step: Step, send: Send): void {
  step.sends.push(send);
}

/** The outcome. Who was there hears of a new state once, however much of it changed; who has come hears all of it. */
export function conclude({ before, rev, room, records, sends, newcomers }: Step): Outcome {
  const next = room === before ? room : { ...room, rev };
  const said = [...sends];
  for (const to of newcomers) said.push({ event: "state", data: wholeState(next), to });
  if (SHARED.some((name) => next[name] !== before[name]))
    said.push({ event: "state", data: sharedState(next) });
  return { room: next, records, sends: said };
}

const SHARED = ["revision", "waiting", "host_id", "co_host_ids"] as const;

function sharedState({ rev, revision, playback, waiting, host_id, co_host_ids }: Room): RoomState {
  return { rev, revision, ...playback, waiting, host_id, co_host_ids };
}

function wholeState(room: Room): RoomState & { members: RoomMember[]; likes: number; viewers: number } {
  return {
    ...sharedState(room),
    members: membersOf(room.connections),
    // As the others were told: what has changed since is told to all of them.
    likes: room.likes.told,
    viewers: room.viewers.told,
  };
}

/** Who is there, each once, longest present first. */
export function membersOf(connections: readonly Connection[]): RoomMember[] {
  const members = new Map<UserId, RoomMember>();
  for (const { user_id, name, joined_at } of connections) {
    if (!members.has(user_id)) members.set(user_id, { user_id, name, joined_at });
  }
  return [...members.values()];
}

/** @throws RoomRefused `not_joined` */
export function connectionOf({ room }: Step, id: string): Connection {
  const connection = room.connections.find((its) => its.id === id);
  if (!connection) throw new RoomRefused("not_joined");
  return connection;
}

/** @throws RoomRefused `not_joined`, or `forbidden` unless it is the host's or a co-host's. */
export function leaderOf(step: Step, id: string): Connection {
  const connection = connectionOf(step, id);
  if (!leads(step.room, connection.user_id)) throw new RoomRefused("forbidden");
  return connection;
}

export function leads({ owner_id, host_id, co_host_ids }: Room, user: UserId): boolean {
  return user === owner_id || user === host_id || co_host_ids.includes(user);
}

/** Where everybody is, in seconds. Before a command takes effect, where it will begin. */
export function positionAt({ playing, position, at }: Playback, now: number): number {
  return playing && now > at ? position + (now - at) / 1_000 : position;
}
