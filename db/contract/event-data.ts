import * as z from "zod";
import { ContentId, PlainId, UserId } from "./ids.ts";
import { SessionView } from "./sessions.ts";
import { HistoryItem } from "./views.ts";

/** What domain events tell, by type. Their users may count on these members; others may join them. */

const Moment = z.iso.datetime();

const rev = z
  .int()
  .min(1)
  .describe("The version of the item: of two events of one item the one with the higher rev is newer");

/** An item of a history is as told, or is in it no longer, or the whole history up to a time is forgotten. */
export const HistoryUpdated = z.union([
  z.object({ user_id: UserId, ...HistoryItem.shape, rev }),
  z.object({ user_id: UserId, content_id: ContentId, deleted: z.literal(true), rev }),
  z.object({
    user_id: UserId,
    cleared_up_to: Moment.describe("Every item that was last watched then or earlier is forgotten"),
  }),
]);

/** One play of a content came to its end. */
export const ContentCompleted = z.object({
  user_id: UserId,
  content_id: ContentId,
  play_id: z
    .string()
    .describe("As the player or its session said; else a slash, the UTC day, a slash and the device"),
  started_at: Moment,
  completed_at: Moment,
});

/** A playback session as it was when it ended. */
export const SessionEnded = SessionView.extend({
  ended_by: z.enum(["client", "timeout"]),
  completed: z.boolean().describe("It was played to the end"),
});

/** A content came to a watchlist, or left it. */
export const WatchlistUpdated = z.object({
  user_id: UserId,
  content_id: ContentId,
  action: z.enum(["added", "removed"]),
});

/** What somebody thinks of a content now. */
export const VideoRated = z.object({
  user_id: UserId,
  content_id: ContentId,
  rating: z.int().min(1).max(10).nullable().describe("null when there is none any more"),
  review: z.string().nullable(),
});

/** A profile as it is now. */
export const ProfileUpdated = z.object({
  user_id: UserId,
  name: z.string().nullable(),
  avatar: z.string().nullable(),
  preferences: z.record(z.string(), z.unknown()),
});

/** A watch party is on. */
export const PartyStarted = z.object({
  party_id: PlainId,
  title: z.string(),
  content_id: ContentId,
  user_id: UserId.describe("The host"),
  start_time: Moment,
  end_time: Moment.nullable().describe("null when none is set"),
  status: z.literal("ONGOING"),
});

/** Why a party is over: `missed` is one whose whole time passed while nobody could open it. */
const PARTY_ENDS = ["host", "schedule", "cancelled", "missed"] as const;
export type PartyEnd = (typeof PARTY_ENDS)[number];

/** A watch party is over, or will not be. */
export const PartyEnded = PartyStarted.extend({
  end_time: Moment.describe("When it ended"),
  status: z.enum(["FINISHED", "CANCELLED"]),
  reason: z
    .enum(PARTY_ENDS)
    .describe("Why it ended; `missed`: its whole time passed while nobody could open it"),
  peak_viewers: z.int().min(0).describe("As many as there were at one time"),
});

/** Every type of event with what it tells. */
export const EVENT_DATA = {
  HistoryUpdated,
  ContentCompleted,
  SessionEnded,
  WatchlistUpdated,
  VideoRated,
  ProfileUpdated,
  PartyStarted,
  PartyEnded,
};

export type EventType = keyof typeof EVENT_DATA;
export type EventData<Type extends EventType> = z.infer<(typeof EVENT_DATA)[Type]>;

export const EVENT_TYPES = Object.keys(EVENT_DATA) as EventType[];

/** Names the schema of what a type tells; what no longer fits it would get another name. */
export function schemaName(type: EventType): string {
  return `urn:playhead:event:${type}:1`;
}
