import * as z from "zod";
import { mintedId } from "./arrival.ts";
import { completes, type Entry, entryOf, type Heartbeat, Seconds } from "./events.ts";
import { ContentId, PlainId, UserId } from "./ids.ts";
import { Refusal } from "./refusals.ts";
import type { Stamp } from "./requests.ts";

export const PLAYBACK_STATES = ["playing", "paused", "buffering", "ended"] as const;
const PlaybackState = z.enum(PLAYBACK_STATES);
/** Whatever the player calls it. */
const Quality = z.string().min(1).max(64);

/** What a path names. Checked as an object, so that a fault says which part of the path is wrong. */
export const SessionPath = z.object({ session_id: PlainId });

/** A playback session as a client begins it. */
export const SessionInput = z.object({
  user_id: UserId,
  content_id: ContentId,
  device_id: PlainId,
  duration_seconds: Seconds.nullish().describe("Of the content; unknown when absent, null or 0"),
  quality: Quality.nullish(),
});
export type SessionInput = z.infer<typeof SessionInput>;

/** Where the player is; what is left out stays as it is. */
export const PositionInput = z.object({
  position_seconds: Seconds,
  playback_state: PlaybackState.nullish().describe("`ended` says that it was watched to the end"),
  quality: Quality.nullish(),
});
export type PositionInput = z.infer<typeof PositionInput>;

/** A playback session as a client gets it. */
export const SessionView = z.object({
  id: PlainId,
  user_id: UserId,
  content_id: ContentId,
  device_id: PlainId,
  position_seconds: z.number().describe("As last reported; before that, where it began"),
  duration_seconds: z.number().nullable().describe("null when unknown"),
  playback_state: PlaybackState,
  quality: z.string().nullable(),
  started_at: z.iso.datetime(),
  updated_at: z.iso.datetime().describe("When a position was last reported"),
});
export type SessionView = z.infer<typeof SessionView>;

/** What a client gets that began one. */
export const StartedSession = SessionView.extend({
  resume_position_seconds: z
    .number()
    .nullable()
    .describe("Where to start; null for from the beginning, and while the history is out of reach"),
});
export type StartedSession = z.infer<typeof StartedSession>;

/** A live playback session. Times are epoch milliseconds. */
export type Session = {
  id: string;
  user_id: UserId;
  content_id: ContentId;
  device_id: string;
  position_seconds: number;
  /** null: unknown. */
  duration_seconds: number | null;
  playback_state: (typeof PLAYBACK_STATES)[number];
  quality: string | null;
  started_at: number;
  updated_at: number;
  /** How many positions were taken from its player: none, and there is nothing to say in the end. */
  reports: number;
};

/** What is known under the id of a session. The user of an ended one is remembered for a while. */
export type KnownSession =
  | { state: "live"; session: Session }
  | { state: "ended"; user_id: UserId }
  | { state: "unknown" };

/** @throws Refusal `not_found` unless it lives. */
export function liveSession(known: KnownSession): Session {
  if (known.state === "live") return known.session;
  throw noLiveSession();
}

/** Whose it is or was; null when nobody knows. */
export function userOfSession(known: KnownSession): UserId | null {
  if (known.state === "unknown") return null;
  return known.state === "live" ? known.session.user_id : known.user_id;
}

export function noLiveSession(): Refusal {
  return new Refusal("not_found", "there is no such session, or it has ended");
}

/** Where a session is found. */
export function sessionPath(id: string): string {
  return `/api/v1/sessions/${id}`;
}

/** A session that begins, at the position to resume or from the beginning. */
export function newSession(
  { user_id, content_id, device_id, duration_seconds, quality }: SessionInput,
  { id, at, resumeAt }: { id: string; at: number; resumeAt: number | null },
): Session {
  return {
    ...{ id, user_id, content_id, device_id },
    position_seconds: resumeAt ?? 0,
    duration_seconds: duration_seconds || null,
    playback_state: "playing",
    quality: quality ?? null,
    ...{ started_at: at, updated_at: at, reports: 0 },
  };
}

/** The session after a report; one that is overtaken by a newer one changes nothing. */
export function reported(session: Session, input: PositionInput, at: number): Session {
  if (at < session.updated_at) return session;
  return {
    ...session,
    position_seconds: input.position_seconds,
    playback_state: input.playback_state ?? session.playback_state,
    quality: input.quality ?? session.quality,
    updated_at: at,
    reports: session.reports + 1,
  };
}

/** A reported position as an entry for the stream: the same wherever it is made. */
export function positionEntry(session: Session, input: PositionInput, stamp: Stamp): Entry {
  const event = heartbeatOf(session, {
    event_id: mintedId(stamp, 0),
    occurred_at: stamp.received_at,
    playback_time: input.position_seconds,
    ended: input.playback_state === "ended",
  });
  return entryOf({ user_id: session.user_id, session_id: session.id, received_at: stamp.received_at }, [
    event,
  ]);
}

/**
 * What the end of a session adds to the history: the last reported position, at the time when it was reported, and
 * nothing where none was.
 */
export function finalEntry(session: Session): Entry | null {
  if (session.reports === 0) return null;
  const event = heartbeatOf(session, {
    event_id: `${session.id}.end`,
    occurred_at: session.updated_at,
    playback_time: session.position_seconds,
    ended: session.playback_state === "ended",
  });
  return entryOf({ user_id: session.user_id, session_id: session.id, received_at: session.updated_at }, [
    event,
  ]);
}

/** Was it watched to the end, as far as its player says? */
export function isCompleted({ position_seconds, duration_seconds, playback_state }: Session): boolean {
  const its = { playback_time: position_seconds, duration: duration_seconds };
  return completes(its, playback_state === "ended");
}

export function sessionView({ reports: _, started_at, updated_at, ...its }: Session): SessionView {
  return {
    ...its,
    started_at: new Date(started_at).toISOString(),
    updated_at: new Date(updated_at).toISOString(),
  };
}

function heartbeatOf(
  { id, content_id, device_id, duration_seconds: duration }: Session,
  its: Pick<Heartbeat, "event_id" | "occurred_at" | "playback_time"> & { ended: boolean },
): Heartbeat {
  const { event_id, occurred_at, playback_time, ended } = its;
  return {
    ...{ type: "heartbeat", event_id, occurred_at, content_id, catalog_id: null, playback_time, duration },
    completes: completes({ playback_time, duration }, ended),
    ...{ play_id: id, device_id },
  };
}
