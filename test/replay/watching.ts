import { type Play, report, type Viewer } from "./beat.ts";
import type { Content } from "./catalogue.ts";
import { deedOn } from "./deeds.ts";
import type { Random } from "./random.ts";

/** A player reports this often. */
export const BEAT_MS = 10_000;
/** Of all beats of a player. */
const SEEKS = 0.02;
const PAUSES = 0.015;
/** Of all beats, when both clocks are right: something is done at the very moment of the beat. */
const DOES_SOMETHING = 0.004;
/** Of all sittings. */
const IS_COPIED = 0.1;

/**
 * One sitting: a device, a content, and beats until the viewer quits, the content ends, or time is up.
 *
 * A device whose clock is wrong reports on the beat alone: what is corrected by the server is known only to
 * within the latency of a request, and events ten seconds apart stay in order all the same.
 *
 * @param sitting.joins how often somebody who was not in the middle of it begins anywhere.
 * @param sitting.quits at how many of all beats it is enough.
 * @returns when it ended.
 */
export function watch(viewer: Viewer, content: Content, sitting: Sitting): number {
  const { random, devices, places } = viewer;
  const { from, until, joins, quits } = sitting;
  const device = random.pick(devices);
  const play = { device, content, play_id: `${viewer.user_id}.play.${viewer.beats.length}` };
  const copy = device.skew_ms === 0 && random.chance(IS_COPIED) ? copyOf(viewer, play) : null;
  let position = startIn(content, joins, viewer);
  let at = from;

  const tell = (action: "play" | "pause" | "seek" | "stop" | "finish" | null) => {
    report(viewer, play, { at, playback_time: position, action });
    if (copy && random.chance(0.3)) report(viewer, copy, { at, playback_time: position / 2, action: null });
    if (device.skew_ms === 0 && random.chance(DOES_SOMETHING)) deedOn(viewer, content, device, at);
    places.set(content, position);
  };
  const playOn = (action: "pause" | "seek" | "stop" | null) => {
    const ms = action === null || device.skew_ms !== 0 ? BEAT_MS : random.between(1_000, BEAT_MS);
    at += ms;
    position = Math.min(position + ms / 1_000, content.duration);
  };

  tell("play");
  while (at + BEAT_MS < until) {
    const action = chosenAction(random, quits);
    playOn(action);
    if (position === content.duration) {
      tell(random.chance(0.7) ? "finish" : "stop");
      break;
    }
    if (action === "seek") position = random.between(0, content.duration * 1_000) / 1_000;
    tell(action);
    if (action === "stop") break;
    if (action === "pause") {
      at += random.between(BEAT_MS, 6 * BEAT_MS);
      if (at < until) tell("play");
    }
  }
  return at;
}

function chosenAction(random: Random, quits: number): "pause" | "seek" | "stop" | null {
  if (random.chance(quits)) return "stop";
  if (random.chance(SEEKS)) return "seek";
  return random.chance(PAUSES) ? "pause" : null;
}

/** From where it was left; what is new, or seen to the end, from the beginning or from anywhere. */
function startIn(content: Content, joins: number, { random, places }: Viewer): number {
  const place = places.get(content) ?? 0;
  if (place > 0 && place < content.duration) return place;
  return random.chance(joins) ? random.between(0, content.duration - 1) : 0;
}

/** Somebody else of the household watches the same on another device, and reports at the very same moments. */
function copyOf({ devices, random }: Viewer, play: Play): Play | null {
  const others = devices.filter((device) => device !== play.device && device.skew_ms === 0);
  return others.length > 0 ? { ...play, device: random.pick(others), play_id: `${play.play_id}.copy` } : null;
}

export type Sitting = { from: number; until: number; joins: number; quits: number };
