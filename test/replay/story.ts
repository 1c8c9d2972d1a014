import { type Beat, report, type Viewer } from "./beat.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Deed, deedsInBreak, deedsOfZapper } from "./deeds.ts";
import { chooseDevices } from "./devices.ts";
import { type Ending, endingOf } from "./ending.ts";
import type { Random } from "./random.ts";
import { chooseTaste, sit } from "./sitting.ts";
import { BEAT_MS } from "./watching.ts";

/** What really happened to one viewer, in the order and at the times in which it happened. */
export type Story = {
  user_id: string;
  /** Opens the app and looks at the lists, before the first beat and now and then. */
  reads: boolean;
  /** Has an app that follows the changes. */
  follows: boolean;
  beats: Beat[];
  deeds: Deed[];
  /** Up to this time, which lies in a break, the viewer clears everything. */
  clear: number | null;
  ending: Ending | null;
};

const READS = 0.8;
const FOLLOWS = 0.4;
const CLEARS = 0.15;
/** A break is long enough for a clear, and later for deeds, that no clock may mistake for one another or for a beat. */
const CLEAR_AFTER_MS = 15_000;
const DEEDS_AFTER_MS = 30_000;
const SHORTEST_BREAK_MS = 45_000;
const LONGEST_BREAK_MS = 150_000;

/** Tells what one viewer does between two times. */
export function tellStory({ user_id, catalogue, random, from, until, zaps }: StoryOptions): Story {
  const devices = chooseDevices(random, user_id);
  const places: Viewer["places"] = new Map();
  const viewer: Viewer = { user_id, catalogue, random, devices, beats: [], deeds: [], places };
  const taste = chooseTaste(random, catalogue.shows);
  const breaks: number[] = [];

  let at = from + random.between(0, BEAT_MS);
  while (at + BEAT_MS < until) {
    at = zaps ? zap(viewer, at, until) : sit(viewer, taste, at, until);
    breaks.push(at + CLEAR_AFTER_MS);
    (zaps ? deedsOfZapper : deedsInBreak)(viewer, at + DEEDS_AFTER_MS);
    at += random.between(SHORTEST_BREAK_MS, LONGEST_BREAK_MS);
  }
  const { beats, deeds } = viewer;
  const clear = random.chance(CLEARS) ? random.pick(breaks) : null;
  const [reads, follows] = [random.chance(READS), random.chance(FOLLOWS)];
  return { user_id, reads, follows, beats, deeds, clear, ending: endingOf(viewer) };
}

/** Looks into something else at every beat, so that every single event shows in the end. */
function zap(viewer: Viewer, from: number, until: number): number {
  const { random, devices, catalogue, beats, user_id, places } = viewer;
  const { matches } = catalogue;
  const device = random.pick(devices);
  let at = from;
  for (let left = random.between(30, 120); left > 0 && at + BEAT_MS < until; left--, at += BEAT_MS) {
    const content = matches[beats.length % matches.length];
    if (!content) break;
    const play = { device, content, play_id: `${user_id}.zap.${beats.length}` };
    const playback_time = random.between(0, content.duration);
    report(viewer, play, { at, playback_time, action: "play" });
    places.set(content, playback_time);
  }
  return at;
}

type StoryOptions = {
  user_id: string;
  catalogue: Catalogue;
  random: Random;
  from: number;
  until: number;
  /** A channel surfer, instead of somebody who watches. */
  zaps: boolean;
};
