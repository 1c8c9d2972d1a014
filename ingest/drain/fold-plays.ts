import { REACHED_BUCKETS } from "../../db/contract/analytics.ts";
import type { Heartbeat } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";

/**
 * What a batch says of one play: its earliest event and completion (epoch milliseconds), and how far it came. All of
 * it merges by min and max, so it comes out the same in any order.
 */
export type PlayChange = {
  user_id: UserId;
  content_id: ContentId;
  play_id: string;
  started_at: number;
  completed_at: number | null;
  /** In twentieths of the duration, from 0 to 19, of the events that said a duration; null when none did. */
  reached: number | null;
  /** In seconds, of the events that said no duration; null when all did. */
  furthest: number | null;
};

/** Takes a heartbeat into its play, which is one of `plays` of its item, or a new one. */
export function addToPlays(plays: PlayChange[], user_id: UserId, event: Heartbeat): void {
  const { content_id, occurred_at, playback_time, duration } = event;
  const play_id = event.play_id ?? playOfDay(event);
  const completed_at = event.completes ? occurred_at : null;
  const reached = duration === null ? null : bucketOf(playback_time, duration);
  const furthest = duration === null ? playback_time : null;
  const play = plays.find((its) => its.play_id === play_id);
  if (play === undefined) {
    const started_at = occurred_at;
    plays.push({ user_id, content_id, play_id, started_at, completed_at, reached, furthest });
    return;
  }
  if (occurred_at < play.started_at) play.started_at = occurred_at;
  if (completed_at !== null) play.completed_at = Math.min(play.completed_at ?? completed_at, completed_at);
  if (reached !== null) play.reached = Math.max(play.reached ?? 0, reached);
  if (furthest !== null) play.furthest = Math.max(play.furthest ?? 0, furthest);
}

/**
 * The play of an event that names none: what one device watches of a content on one UTC day. Somebody who watches it
 * twice on a day, or past midnight, is counted otherwise than they would; a slash keeps it apart from ids that clients
 * send.
 */
function playOfDay({ occurred_at, device_id }: Heartbeat): string {
  return `/${new Date(occurred_at).toISOString().slice(0, 10)}/${device_id ?? ""}`;
}

function bucketOf(playback_time: number, duration: number): number {
  return Math.min(REACHED_BUCKETS - 1, Math.floor((playback_time / duration) * REACHED_BUCKETS));
}
