import * as z from "zod";
import { Seconds } from "./events.ts";
import { PlainId, UserId } from "./ids.ts";
import { checked } from "./refusals.ts";
import { text } from "./text.ts";

/** What a member of a party may say, by the name of the Socket.IO event. Times are epoch milliseconds. */

export const MAX_CHAT_CHARACTERS = 2_000;

/** The playback that a command was given to: one that is older than the room's is dropped. */
const Revision = z.int().min(0);
const Command = z.strictObject({ revision: Revision });

export const PARTY_MESSAGES = {
  join: z.strictObject({
    party_id: PlainId,
    invite: z.string().max(128).optional().describe("Needed where the party is not public"),
  }),
  leave: z.strictObject({}),
  chat: z.strictObject({
    id: PlainId.describe("Made by the client: a message that is sent again is one message"),
    text: z.string().trim().pipe(text(MAX_CHAT_CHARACTERS)),
  }),
  like: z.strictObject({ count: z.int().min(1).max(100).default(1) }),
  play: Command,
  pause: Command,
  seek: Command.extend({ position: Seconds }),
  ready: Command,
  kick: z.strictObject({ user_id: UserId }),
  mute: z.strictObject({ user_id: UserId, muted: z.boolean() }),
  end: z.strictObject({}),
  ping: z.strictObject({ sent_at: z.number().describe("The client's clock; it comes back as it is") }),
} as const;

export type PartyMessageName = keyof typeof PARTY_MESSAGES;
export type PartyMessages = { [Name in PartyMessageName]: z.infer<(typeof PARTY_MESSAGES)[Name]> };
export type PartyMessage = {
  [Name in PartyMessageName]: { event: Name; input: PartyMessages[Name] };
}[PartyMessageName];

/** What a client says, checked; null when there is no such event. @throws Refusal `invalid_input` */
export function partyMessage(event: string, input: unknown): PartyMessage | null {
  if (!Object.hasOwn(PARTY_MESSAGES, event)) return null;
  const schema: z.ZodType = PARTY_MESSAGES[event as PartyMessageName];
  return { event, input: checked(schema, input ?? {}) } as PartyMessage;
}

/** Every way in which a room says no. The connection lives on. */
export const ROOM_REFUSALS = [
  "unknown_event",
  "invalid_input",
  "unauthorized",
  "forbidden",
  "not_found",
  "not_joined",
  "not_open",
  "finished",
  "full",
  "kicked",
  "muted",
  "stale",
  "too_fast",
  "unavailable",
] as const;
export type RoomRefusal = (typeof ROOM_REFUSALS)[number];

/** What everybody in a room shares. */
export type RoomState = {
  rev: number;
  /** Counts changes of the playback; a command names the one that it was given to. */
  revision: number;
  playing: boolean;
  /** Seconds, at `at`. */
  position: number;
  /** Server time at which this takes effect. */
  at: number;
  /** It plays on as soon as everybody is ready, or at the latest at `until`. */
  waiting: { until: number } | null;
  host_id: UserId | null;
  co_host_ids: readonly UserId[];
};

export type RoomMember = { user_id: UserId; name: string | null; joined_at: number };

/**
 * What a room says, by the name of the Socket.IO event. What two processes say may arrive in either order: of two that
 * are about the same thing, the one with the higher `rev` counts.
 */
export type PartyEvents = {
  state: RoomState & { members?: readonly RoomMember[]; likes?: number; viewers?: number };
  member_joined: RoomMember & { rev: number };
  member_left: { rev: number; user_id: UserId; reason: "left" | "kicked" | "lost" };
  member_muted: { rev: number; user_id: UserId; muted: boolean };
  chat: { id: string; user_id: UserId; name: string | null; text: string; at: number; media_time: number };
  /** How many there were since they were last told of, and in all: a total that is lower is an earlier one. */
  likes: { count: number; total: number };
  viewers: { rev: number; count: number };
  ended: { reason: "host" | "schedule" | "cancelled" };
  refused: { event: string; code: RoomRefusal; errors?: readonly { path: string; message: string }[] };
};
