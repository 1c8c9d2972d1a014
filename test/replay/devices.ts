import type { Random } from "./random.ts";

/** One player of a viewer, with its habits. */
export type Device = {
  device_id: string;
  /** How far its clock is off; 0 for right. */
  skew_ms: number;
  /** Whether it says what its clock shows when it sends; one with a wrong clock must. */
  says_sent_at: boolean;
  /** Times as text, or as epoch milliseconds. */
  iso_times: boolean;
  /** Not every player knows how long the content is, or which catalogue it is from. */
  knows_duration: boolean;
  knows_catalogue: boolean;
};

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** All of them further off than latency could explain. */
const WRONG_CLOCKS = [-400 * DAY, -3 * 60 * MINUTE, -95_000, 61_000, 40 * MINUTE, 3_650 * DAY];
const WRONG_SHARE = 0.25;

/** One to four devices; the first of them always has a right clock. */
export function chooseDevices(random: Random, user: string): Device[] {
  return Array.from({ length: random.between(1, 4) }, (_, n) => {
    const skew_ms = n > 0 && random.chance(WRONG_SHARE) ? random.pick(WRONG_CLOCKS) : 0;
    return {
      device_id: `${user}.${random.pick(["tv", "phone", "tablet", "web"])}${n}`,
      skew_ms,
      says_sent_at: skew_ms !== 0 || random.chance(0.5),
      iso_times: random.chance(0.5),
      knows_duration: random.chance(0.9),
      knows_catalogue: random.chance(0.8),
    };
  });
}
