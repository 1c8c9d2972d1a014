/** Below this many seconds a viewer has only looked in. */
const FLOOR_SECONDS = 30;
/** Past this share of the duration only the credits are left. */
const CEILING_SHARE = 0.95;

/** Has the viewer seen it all? Never when the duration is unknown (absent or 0). */
export function isFinished(position: number, duration: number | null): boolean {
  return duration !== null && duration > 0 && position / duration > CEILING_SHARE;
}

/**
 * Where should the player start? Seconds, or null for "from the beginning".
 *
 * None below 30 s, none past 95 % of the duration, none while the duration is unknown (live included).
 */
export function resumePosition(position: number, duration: number | null): number | null {
  if (duration === null || duration <= 0) return null;
  if (position < FLOOR_SECONDS || isFinished(position, duration)) return null;
  return position;
}
