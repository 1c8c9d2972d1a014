/** Below this many seconds a viewer has only looked in. */
export const FLOOR_SECONDS = 30;
/** Past this share of the duration only the credits are left. */
export const CEILING_SHARE = 0.95;

/** What the rule goes by, in seconds; null is unknown. */
export type Watched = {
  playback_time: number;
  duration: number | null;
  /** Where the credits begin, as the catalogue says. */
  credits_at: number | null;
  live: boolean;
};

/** Has the viewer seen it all? Never when nobody knows where it ends (duration absent or 0, live). */
export function isFinished({ playback_time, duration, credits_at, live }: Watched): boolean {
  if (live) return false;
  if (credits_at !== null && playback_time > credits_at) return true;
  return duration !== null && duration > 0 && playback_time / duration > CEILING_SHARE;
}

/**
 * Where should the player start? Seconds, or null for "from the beginning".
 *
 * None below 30 s, none past 95 % of the duration or past the credits, none of live streams and while the duration
 * is unknown.
 */
export function resumePosition(watched: Watched): number | null {
  const { playback_time, duration, live } = watched;
  if (live || duration === null || duration <= 0) return null;
  if (playback_time < FLOOR_SECONDS || isFinished(watched)) return null;
  return playback_time;
}
