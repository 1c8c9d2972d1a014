import { type Beat, report, type Viewer } from "./beat.ts";
import type { Content } from "./catalogue.ts";
import { type Deed, deedOn } from "./deeds.ts";
import type { Device } from "./devices.ts";

/**
 * What the viewer does in real time, after all else, for only the server's clock knows when it is: forgets one item, or
 * everything (null), and then goes on a little. None of it has a time yet.
 */
export type Ending = { forgets: { content_id: string | null } | null; afterwards: Live[] };

/** `told`: the device says when. Otherwise it is when it arrives. */
export type Live =
  | { kind: "live"; beat: Beat }
  | { kind: "live deed"; deed: Deed; told: boolean }
  | { kind: "session"; session: SessionPlan };

/** A playback session: what its player reports, and whether it ends or just falls silent. */
export type SessionPlan = {
  content_id: string;
  duration: number | null;
  device: Device;
  reports: { position: number; state: "playing" | "paused" | "ended" | null }[];
  ends: boolean;
};

const FORGETS_ONE = 0.2;
const FORGETS_ALL = 0.1;
const HAS_SESSIONS = 0.1;
/** Of all who forget something, or have sessions. */
const DOES_SOMETHING = 0.4;
/** Of what is watched afterwards. */
const FORGOTTEN_AGAIN = 0.25;
const WATCHED_BEFORE = 0.5;
const SESSION_ENDS = 0.8;
const REPORTED_AS_ENDED = 0.3;

export function endingOf(viewer: Viewer): Ending | null {
  const { random, beats } = viewer;
  const one = random.chance(FORGETS_ONE) ? random.pick(beats).content_id : null;
  const all = one === null && random.chance(FORGETS_ALL);
  const forgets = one !== null || all ? { content_id: one } : null;
  const sessions = random.chance(HAS_SESSIONS) ? sessionsOf(viewer, one) : [];
  if (forgets === null && sessions.length === 0) return null;

  const live: Live[] = forgets === null ? [] : beatsOf(viewer, one);
  const deeds = random.chance(DOES_SOMETHING) ? deedsOf(viewer, one) : [];
  return { forgets, afterwards: random.shuffled([...live, ...sessions]).concat(deeds) };
}

function beatsOf(viewer: Viewer, forgotten: string | null): Live[] {
  const { random, devices, user_id } = viewer;
  const [first] = devices;
  const after: Viewer = { ...viewer, beats: [], user_id: `${user_id}.after` };
  if (!first) return [];
  for (let left = random.between(0, 5); left > 0; left--) {
    const content = contentFor(viewer, forgotten);
    // One that says no duration shows whether the forgotten one is really gone.
    const device = { ...first, knows_duration: random.chance(0.5) };
    const play = { device, content, play_id: `${user_id}.after` };
    report(after, play, { at: 0, playback_time: random.between(0, content.duration), action: null });
  }
  return after.beats.map((beat) => ({ kind: "live", beat }));
}

/** By a device with a right clock: the first. */
function deedsOf(viewer: Viewer, forgotten: string | null): Live[] {
  const { random, devices, user_id } = viewer;
  const [device] = devices;
  const after: Viewer = { ...viewer, deeds: [], user_id: `${user_id}.after` };
  for (let left = random.between(1, 3); device && left > 0; left--) {
    deedOn(after, contentFor(viewer, forgotten), device, 0);
  }
  return after.deeds.map((deed) => ({ kind: "live deed", deed, told: random.chance(0.5) }));
}

function sessionsOf(viewer: Viewer, forgotten: string | null): Live[] {
  const { random, devices } = viewer;
  return Array.from({ length: random.between(1, 2) }, (): Live => {
    const { content_id, duration } = contentFor(viewer, forgotten);
    const anywhere = () => random.between(0, duration * 1_000) / 1_000;
    const reports = Array.from({ length: random.between(0, 4) }, () => ({
      position: anywhere(),
      state: random.pick(["playing", "paused", null] as const),
    }));
    // A player may say so wherever it is.
    const end = { position: random.chance(0.5) ? duration : anywhere(), state: "ended" as const };
    const last = random.chance(REPORTED_AS_ENDED) ? [end] : [];
    const knows = random.chance(0.8);
    const device = random.pick(devices);
    const its = { content_id, duration: knows ? duration : null, device, reports: [...reports, ...last] };
    return { kind: "session", session: { ...its, ends: random.chance(SESSION_ENDS) } };
  });
}

/** What was forgotten, what was watched before, or anything. */
function contentFor({ random, places, catalogue }: Viewer, forgotten: string | null): Content {
  const { matches, shows } = catalogue;
  const before = [...places.keys()];
  const again = before.filter(({ content_id }) => content_id === forgotten);
  if (again.length > 0 && random.chance(FORGOTTEN_AGAIN)) return random.pick(again);
  if (before.length > 0 && random.chance(WATCHED_BEFORE)) return random.pick(before);
  return random.pick(random.chance(0.5) ? matches : random.pick(shows).episodes);
}
