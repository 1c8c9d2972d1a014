import { type Beat, report, type Viewer } from "./beat.ts";
import type { Content } from "./catalogue.ts";
import { chooseDevices } from "./devices.ts";
import type { Random } from "./random.ts";
import { BEAT_MS, watch } from "./watching.ts";

/** What really happened to one viewer, in the order and at the times in which it happened. */
export type Story = {
  user_id: string;
  /** Opens the app and looks at the list, before the first beat and now and then. */
  reads: boolean;
  beats: Beat[];
  /** Up to this time, which lies in a break, the viewer clears everything. */
  clear: number | null;
  ending: Ending | null;
};

/**
 * The viewer forgets one item, or everything (null), and then goes on watching a little. Only the server's clock
 * knows when that is, so it happens in real time, after all else: the beats of afterwards have no time yet.
 */
export type Ending = { forget: string | null; afterwards: Beat[] };

const READS = 0.8;
const CLEARS = 0.15;
const FORGETS_ONE = 0.2;
const FORGETS_ALL = 0.1;
/** Of what is watched afterwards. */
const FORGOTTEN_AGAIN = 0.25;
/** The middle of the shortest break. */
const INTO_A_BREAK_MS = 15_000;
const LONGEST_BREAK_MS = 150_000;

/** Tells what one viewer does between two times. */
export function tellStory({ user_id, catalogue, random, from, until, zaps }: StoryOptions): Story {
  const devices = chooseDevices(random, user_id);
  const viewer: Viewer = { user_id, catalogue, random, devices, beats: [] };
  const places = new Map<Content, number>();
  const breaks: number[] = [];

  let at = from + random.between(0, BEAT_MS);
  while (at + BEAT_MS < until) {
    at = zaps ? zap(viewer, at, until) : watch(viewer, places, at, until);
    breaks.push(at + INTO_A_BREAK_MS);
    at += random.between(2 * INTO_A_BREAK_MS, LONGEST_BREAK_MS);
  }
  const clear = random.chance(CLEARS) ? random.pick(breaks) : null;
  return { user_id, reads: random.chance(READS), beats: viewer.beats, clear, ending: endingOf(viewer) };
}

/** Looks into something else at every beat, so that every single event shows in the end. */
function zap(viewer: Viewer, from: number, until: number): number {
  const { random, devices, catalogue, beats, user_id } = viewer;
  const device = random.pick(devices);
  let at = from;
  for (let left = random.between(30, 120); left > 0 && at + BEAT_MS < until; left--, at += BEAT_MS) {
    const content = catalogue[beats.length % catalogue.length];
    if (!content) break;
    const play = { device, content, play_id: `${user_id}.zap.${beats.length}` };
    report(viewer, play, { at, playback_time: random.between(0, content.duration), action: "play" });
  }
  return at;
}

function endingOf(viewer: Viewer): Ending | null {
  const { random, beats, devices, catalogue, user_id } = viewer;
  const one = random.chance(FORGETS_ONE) ? random.pick(beats).content_id : null;
  const [first] = devices;
  if (!first || (one === null && !random.chance(FORGETS_ALL))) return null;

  const afterwards: Viewer = { ...viewer, beats: [], user_id: `${user_id}.after` };
  const again = catalogue.filter(({ content_id }) => content_id === one);
  for (let left = random.between(0, 5); left > 0; left--) {
    const content = random.pick(again.length > 0 && random.chance(FORGOTTEN_AGAIN) ? again : catalogue);
    // One that says no duration shows whether the forgotten one is really gone.
    const device = { ...first, knows_duration: random.chance(0.5) };
    const play = { device, content, play_id: `${user_id}.after` };
    report(afterwards, play, { at: 0, playback_time: random.between(0, content.duration), action: null });
  }
  return { forget: one, afterwards: afterwards.beats };
}

type StoryOptions = {
  user_id: string;
  catalogue: readonly Content[];
  random: Random;
  from: number;
  until: number;
  /** A channel surfer, instead of somebody who watches. */
  zaps: boolean;
};
