import type { Beat } from "./beat.ts";
import type { Random } from "./random.ts";
import type { Story } from "./story.ts";

/** One thing that the viewer's devices do. Each waits until the one before has been answered. */
export type Step =
  /** Requests that are under way at the same time. */
  | { kind: "events"; together: Delivery[] }
  | { kind: "read" }
  | { kind: "forget"; content_id: string }
  | { kind: "clear"; before: number | null }
  /** A beat whose time is the moment at which it is sent. */
  | { kind: "live"; beat: Beat };

/** One request: a single event, or a batch of what one device saved up while it was offline. */
export type Delivery = { beats: Beat[]; batch: boolean };

export const OUT_OF_ORDER = 0.01;
export const DUPLICATED = 0.01;
export const OFFLINE = 0.05;

const OFFLINE_BEATS = { least: 5, most: 20 };
/** So many beats after the device went offline does it come back, at most. */
const LONGEST_OFFLINE = 60;
const HELD_BACK_BEYOND_THE_END = 0.6;
/** The list is looked at again at so many beats. */
const LOOKS_AGAIN = 0.005;

/** Turns what happened into what is sent: in the order of sending, which is not always that of happening. */
export function trafficOf(story: Story, random: Random): Step[] {
  const { sent, heldBack } = scheduled(story, random);
  const steps: Step[] = story.reads ? [{ kind: "read" }] : [];
  const clearAt = story.clear === null ? -1 : random.between(0, sent.length - 1);
  for (const [index, together] of sent.entries()) {
    steps.push({ kind: "events", together });
    if (story.reads && random.chance(LOOKS_AGAIN)) steps.push({ kind: "read" });
    if (index === clearAt) steps.push({ kind: "clear", before: story.clear });
  }
  if (story.ending) {
    const { forget, afterwards } = story.ending;
    const last = afterwards.map((beat): Step => ({ kind: "live", beat }));
    const late = heldBack.map((delivery): Step => ({ kind: "events", together: [delivery] }));
    steps.push(forget === null ? { kind: "clear", before: null } : { kind: "forget", content_id: forget });
    for (const step of [...last, ...late]) steps.push(step);
  }
  return steps;
}

/** Places every delivery on a line of whole slots, one a beat; what falls into one slot goes together. */
function scheduled({ beats, ending }: Story, random: Random): { sent: Delivery[][]; heldBack: Delivery[] } {
  const placed: Placed[] = [];
  const heldBack: Delivery[] = [];
  const offline = offlineStretches(beats, random);
  const beyond = ending !== null;

  for (const stretch of new Set(offline.values())) {
    const delivery = { beats: stretch.beats, batch: true };
    if (beyond && random.chance(HELD_BACK_BEYOND_THE_END)) heldBack.push(delivery);
    else placed.push({ slot: stretch.end + random.between(1, LONGEST_OFFLINE), delivery });
  }
  let slot = 0;
  for (const [index, beat] of beats.entries()) {
    // Two devices at the very same moment send side by side.
    if (beat.at !== beats[index - 1]?.at) slot = index;
    const delivery = { beats: [beat], batch: false };
    if (!offline.has(beat)) {
      const late = random.chance(OUT_OF_ORDER) ? random.between(2, 6) : 0;
      placed.push({ slot: slot + late, delivery });
    }
    if (random.chance(DUPLICATED)) {
      if (beyond && random.chance(HELD_BACK_BEYOND_THE_END)) heldBack.push(delivery);
      else placed.push({ slot: slot + random.pick([0, 1, random.between(2, LONGEST_OFFLINE)]), delivery });
    }
  }
  const slots = Map.groupBy(placed, ({ slot }) => slot);
  const sent = [...slots]
    .sort(([a], [b]) => a - b)
    .map(([, together]) => together.map(({ delivery }) => delivery));
  return { sent, heldBack };
}

/** Which beats a device reported only later, all at once: runs of beats of one device. */
function offlineStretches(beats: readonly Beat[], random: Random): Map<Beat, Stretch> {
  const offline = new Map<Beat, Stretch>();
  const start = OFFLINE / ((OFFLINE_BEATS.least + OFFLINE_BEATS.most) / 2);
  for (const [index, beat] of beats.entries()) {
    if (offline.has(beat) || !random.chance(start)) continue;
    const length = random.between(OFFLINE_BEATS.least, OFFLINE_BEATS.most);
    const stretch: Stretch = { beats: [], end: index };
    for (let at = index; at < beats.length && stretch.beats.length < length; at++) {
      const next = beats[at];
      if (next?.device !== beat.device || offline.has(next)) continue;
      stretch.beats.push(next);
      stretch.end = at;
      offline.set(next, stretch);
    }
  }
  return offline;
}

type Placed = { slot: number; delivery: Delivery };
type Stretch = { beats: Beat[]; end: number };
