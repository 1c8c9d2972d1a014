import type { UserId } from "../../db/contract/ids.ts";
import { type Count, RoomRefused } from "./room.ts";
import { change, connectionOf, keep, positionAt, type Step, say } from "./step.ts";

/** Counts are told at most twice a second. */
export const TELL_EVERY_MS = 500;

/** Something is said to everybody. */
export function chat(
  step: Step,
  { connection, id, text }: { connection: string; id: string; text: string },
): void {
  const { user_id, name } = speakerOf(step, connection);
  keep(step, user_id, { kind: "chat", id, name, text });
  const media_time = positionAt(step.room.playback, step.now);
  say(step, { event: "chat", data: { id, user_id, name, text, at: step.now, media_time } });
}

/** Something is liked: kept at once, and told with whatever else is. */
export function like(step: Step, { connection, count }: { connection: string; count: number }): void {
  const { user_id } = speakerOf(step, connection);
  const { likes } = step.room;
  keep(step, user_id, { kind: "like", count });
  change(step, { likes: { ...likes, now: likes.now + count } });
}

/** Tells the counts that have changed, unless they were told just now. */
export function tellCounts(step: Step): void {
  const { likes, viewers } = step.room;
  if (isDue(likes, step.now)) {
    say(step, { event: "likes", data: { count: likes.now - likes.told, total: likes.now } });
    change(step, { likes: { ...likes, told: likes.now, at: step.now } });
  }
  if (isDue(viewers, step.now)) {
    say(step, { event: "viewers", data: { rev: step.rev, count: viewers.now } });
    keep(step, null, { kind: "viewers", count: viewers.now });
    change(step, { viewers: { ...viewers, told: viewers.now, at: step.now } });
  }
}

/** When a count will be told next; null when it has been. */
export function tellAt({ now, told, at }: Count): number | null {
  return now === told ? null : at + TELL_EVERY_MS;
}

function isDue(count: Count, time: number): boolean {
  const at = tellAt(count);
  return at !== null && time >= at;
}

function speakerOf(step: Step, id: string): { user_id: UserId; name: string | null } {
  const connection = connectionOf(step, id);
  if (step.room.muted.includes(connection.user_id)) throw new RoomRefused("muted");
  return connection;
}
