import type { Beat } from "./beat.ts";
import type { Dismissal, Mark } from "./deeds.ts";
import type { Live } from "./ending.ts";
import { offlineStretches, placeBeats } from "./place-beats.ts";
import { placeDeeds } from "./place-deeds.ts";
import type { Random } from "./random.ts";
import type { Story } from "./story.ts";
import { VIEWS, type View } from "./views.ts";

/** One thing that the viewer's devices do. Each waits until the one before has been answered. */
export type Step =
  /** Requests that are under way at the same time. */
  | { kind: "events"; together: Delivery[] }
  | { kind: "read"; view: View }
  /** A client that follows the changes asks for so many of them. */
  | { kind: "poll"; limit: number }
  | { kind: "forget"; content_id: string }
  | { kind: "clear"; before: number | null }
  /** What happens at the moment at which it is sent. */
  | Live;

/** One request: single events, or a batch of what one device saved up while it was offline. */
export type Delivery =
  | { kind: "beats"; beats: Beat[]; batch: boolean }
  | { kind: "marks"; marks: Mark[]; batch: boolean }
  | { kind: "dismissal"; dismissal: Dismissal };

/** Where a delivery stands on a line of slots, one a beat; what falls into one slot goes together. */
export type Placed = { slot: number; delivery: Delivery };

/** The lists are looked at again at so many slots. */
const LOOKS_AGAIN = 0.008;
const POLLS = 0.02;
const MOST_AT_ONCE = 40;
/** Of what comes late, by viewers who do something in real time: it comes after that. */
export const HELD_BACK_BEYOND_THE_END = 0.6;

/** Turns what happened into what is sent: in the order of sending, which is not always that of happening. */
export function trafficOf(story: Story, random: Random): Step[] {
  const { reads, follows, clear, ending } = story;
  const { sent, heldBack } = scheduled(story, random);
  const steps: Step[] = reads ? VIEWS.map((view) => ({ kind: "read", view })) : [];
  const clearAt = clear === null ? -1 : random.between(0, sent.length - 1);
  for (const [index, together] of sent.entries()) {
    steps.push({ kind: "events", together });
    if (reads && random.chance(LOOKS_AGAIN)) steps.push({ kind: "read", view: random.pick(VIEWS) });
    if (follows && random.chance(POLLS)) steps.push({ kind: "poll", limit: random.between(1, MOST_AT_ONCE) });
    if (index === clearAt) steps.push({ kind: "clear", before: clear });
  }
  if (ending) {
    const { forgets, afterwards } = ending;
    if (forgets) {
      const { content_id } = forgets;
      steps.push(content_id === null ? { kind: "clear", before: null } : { kind: "forget", content_id });
    }
    const late = heldBack.map((delivery): Step => ({ kind: "events", together: [delivery] }));
    for (const step of [...afterwards, ...late]) steps.push(step);
  }
  return steps;
}

/** How many events a delivery brings. */
export function eventsOf(delivery: Delivery): number {
  if (delivery.kind === "dismissal") return 1;
  return delivery.kind === "beats" ? delivery.beats.length : delivery.marks.length;
}

function scheduled(story: Story, random: Random): { sent: Delivery[][]; heldBack: Delivery[] } {
  const stretches = offlineStretches(story.beats, random);
  const mayBeLate = [...placeBeats(story, stretches, random), ...placeDeeds(story, stretches, random)];
  const placed: Placed[] = [];
  const heldBack: Delivery[] = [];
  for (const { late, ...its } of mayBeLate) {
    if (late && story.ending && random.chance(HELD_BACK_BEYOND_THE_END)) heldBack.push(its.delivery);
    else placed.push(its);
  }
  const slots = Map.groupBy(placed, ({ slot }) => slot);
  const sent = [...slots]
    .sort(([a], [b]) => a - b)
    .map(([, together]) => together.map(({ delivery }) => delivery));
  return { sent, heldBack };
}
