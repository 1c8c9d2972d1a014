import type { ContentId, UserId } from "./ids.ts";
import { isCompleted, type Session, sessionView } from "./sessions.ts";

/** A domain event as the bus carries it: CloudEvents 1.0, JSON format. A repeated event has the same id. */
export type CloudEvent = {
  specversion: "1.0";
  id: string;
  source: "playhead";
  type: EventType;
  /** The user that it is about. */
  subject: UserId;
  /** ISO 8601: when it happened, not when it was published. */
  time: string;
  datacontenttype: "application/json";
  data: Readonly<Record<string, unknown>>;
};

export type EventType =
  | "HistoryUpdated"
  | "ContentCompleted"
  | "SessionEnded"
  | "WatchlistUpdated"
  | "VideoRated"
  | "ProfileUpdated"
  | "PartyStarted"
  | "PartyEnded";

/** A playback session is over: its player said so, or was not heard of any more. It ends once, under its own id. */
export function sessionEnded(session: Session, ended_at: number, ended_by: "client" | "timeout"): CloudEvent {
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
}: Completion): Promise<CloudEvent> {
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

export type WatchlistChange = { user_id: UserId; content_id: ContentId; action: "added" | "removed" };
export type RatingChange = {
  user_id: UserId;
  content_id: ContentId;
  rating: number | null;
  review: string | null;
};
export type ProfileChange = {
  user_id: UserId;
  name: string | null;
  avatar: string | null;
  preferences: Readonly<Record<string, unknown>>;
};
/** A new id, and when it happened in epoch milliseconds. */
type Occurrence = { id: string; at: number };

function cloudEvent({ id, type, subject, at, data }: Happened): CloudEvent {
  return {
    specversion: "1.0",
    id,
    source: "playhead",
    type,
    subject,
    time: isoTime(at),
    datacontenttype: "application/json",
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

type Happened = Pick<CloudEvent, "id" | "type" | "subject" | "data"> & { at: number };
