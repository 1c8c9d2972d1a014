import * as z from "zod";
import { EVENT_TYPES, type EventData, type EventType, type PartyEnd, schemaName } from "./event-data.ts";
import type { ContentId, UserId } from "./ids.ts";
import type { Party } from "./parties.ts";
import { isCompleted, type Session, sessionView } from "./sessions.ts";
import type { HistoryItem } from "./views.ts";

/** A domain event as the bus carries it: CloudEvents 1.0, JSON format. A repeated event has the same id. */
export type CloudEvent<Type extends EventType = EventType> = {
  specversion: "1.0";
  id: string;
  source: "playhead";
  type: Type;
  /** The user that it is about. */
  subject: UserId;
  /** ISO 8601: when it happened, not when it was published. */
  time: string;
  datacontenttype: "application/json";
  /** Names the schema of `data`, as the published schemas do. */
  dataschema: string;
  data: EventData<Type>;
};

/** What every event has, whatever it tells. */
export const Envelope = z.object({
  specversion: z.literal("1.0"),
  id: z.string().min(1).describe("The same when the event is published again"),
  source: z.literal("playhead"),
  type: z.enum(EVENT_TYPES),
  subject: z.string().min(1).describe("The user that it is about"),
  time: z.iso.datetime().describe("When it happened"),
  datacontenttype: z.literal("application/json"),
  dataschema: z.string().describe("Names the schema of `data`"),
});

/** What became of one item of a history; `item` is null when it is in it no longer. */
export type HistoryChange = {
  user_id: UserId;
  content_id: ContentId;
  rev: number;
  item: HistoryItem | null;
  /** When it happened, as its row says; 0 when that says nothing any more. */
  at: number;
};

/**
 * A row of a history is as told. One version of it is one event, however often it is published. The time in the id
 * keeps apart the rows of a user who was erased and began anew.
 *
 * @param now stands in for a time that nobody knows.
 */
export function historyUpdated(change: HistoryChange, now: number): CloudEvent<"HistoryUpdated"> {
  const { user_id, content_id, rev, item, at } = change;
  return cloudEvent({
    id: `${user_id}/${content_id}/${rev}/${at}`,
    type: "HistoryUpdated",
    subject: user_id,
    at: at || now,
    // Copied first, an object costs a third: a turn makes thousands of these.
    data: item ? { ...item, user_id, rev } : { user_id, content_id, deleted: true, rev },
  });
}

/** The whole history up to a time is forgotten. */
export function historyCleared(user_id: UserId, cleared_at: number): CloudEvent<"HistoryUpdated"> {
  return cloudEvent({
    id: `${user_id}/cleared/${cleared_at}`,
    type: "HistoryUpdated",
    subject: user_id,
    at: cleared_at,
    data: { user_id, cleared_up_to: isoTime(cleared_at) },
  });
}

/** A playback session is over: its player said so, or was not heard of any more. It ends once, under its own id. */
export function sessionEnded(
  session: Session,
  ended_at: number,
  ended_by: "client" | "timeout",
): CloudEvent<"SessionEnded"> {
  return cloudEvent({
    id: session.id,
    type: "SessionEnded",
    subject: session.user_id,
    at: ended_at,
    data: { ...sessionView(session), ended_by, completed: isCompleted(session) },
  });
}

/** One play of a content came to its end. Times are epoch milliseconds. */
export type Completion = {
  user_id: UserId;
  content_id: ContentId;
  /** As the event or its session says; else a slash, the UTC day, a slash and the device. */
  play_id: string;
  started_at: number;
  completed_at: number;
};

/** Of one play there is one completion, under one id, however often it is published. */
export async function contentCompleted({
  started_at,
  completed_at,
  ...play
}: Completion): Promise<CloudEvent<"ContentCompleted">> {
  const { user_id, content_id, play_id } = play;
  return cloudEvent({
    id: await hashOf(JSON.stringify([user_id, content_id, play_id])),
    type: "ContentCompleted",
    subject: user_id,
    at: completed_at,
    data: { ...play, started_at: isoTime(started_at), completed_at: isoTime(completed_at) },
  });
}

/** A content came to a watchlist, or left it. */
export function watchlistUpdated(change: WatchlistChange, { id, at }: Occurrence): CloudEvent {
  return cloudEvent({ id, type: "WatchlistUpdated", subject: change.user_id, at, data: change });
}

/** `rating` and `review` as they are now; null when there is none any more. */
export function videoRated(change: RatingChange, { id, at }: Occurrence): CloudEvent {
  return cloudEvent({ id, type: "VideoRated", subject: change.user_id, at, data: change });
}

/** The profile as it is now. */
export function profileUpdated(change: ProfileChange, { id, at }: Occurrence): CloudEvent {
  return cloudEvent({ id, type: "ProfileUpdated", subject: change.user_id, at, data: change });
}

/** A party begins once. It is about its host. */
export function partyStarted(party: HostedParty): CloudEvent<"PartyStarted"> {
  const { party_id, host_id, started_at, end_time } = party;
  return cloudEvent({
    ...{ id: `${party_id}/started`, type: "PartyStarted", subject: host_id, at: started_at },
    data: {
      ...partyData(party),
      end_time: end_time === 0 ? null : isoTime(end_time),
      status: "ONGOING",
    },
  });
}

/** A party ends once, or is called off once. */
export function partyEnded(
  party: HostedParty,
  { reason, peak_viewers }: { reason: PartyEnd; peak_viewers: number },
): CloudEvent<"PartyEnded"> {
  const { party_id, host_id, ended_at, status } = party;
  return cloudEvent({
    ...{ id: `${party_id}/ended`, type: "PartyEnded", subject: host_id, at: ended_at },
    data: {
      ...partyData(party),
      ...{ end_time: isoTime(ended_at), reason, peak_viewers },
      status: status === "CANCELLED" ? "CANCELLED" : "FINISHED",
    },
  });
}

function partyData({ party_id, title, content_id, host_id, start_time }: HostedParty) {
  return { party_id, title, content_id, user_id: host_id, start_time: isoTime(start_time) };
}

/** A party whose host was not erased. */
export type HostedParty = Party & { host_id: UserId };

export type WatchlistChange = EventData<"WatchlistUpdated">;
export type RatingChange = EventData<"VideoRated">;
export type ProfileChange = EventData<"ProfileUpdated">;
/** A new id, and when it happened in epoch milliseconds. */
type Occurrence = { id: string; at: number };

function cloudEvent<Type extends EventType>({
  id,
  type,
  subject,
  at,
  data,
}: Happened<Type>): CloudEvent<Type> {
  return {
    specversion: "1.0",
    id,
    source: "playhead",
    type,
    subject,
    time: isoTime(at),
    datacontenttype: "application/json",
    dataschema: schemaName(type),
    data,
  };
}

/** SHA-256, as hex. */
async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

type Happened<Type extends EventType> = Pick<CloudEvent<Type>, "id" | "type" | "subject" | "data"> & {
  at: number;
};
