import type { Viewer } from "./beat.ts";
import type { Content } from "./catalogue.ts";
import type { Device } from "./devices.ts";

type Common = { event_id: string; device: Device; at: number; content_id: string };
/** The viewer says that it is watched, or that it is not. */
export type Mark = Common & { kind: "mark"; watched: boolean };
/** The viewer hides it from what to continue, or shows it there again. */
export type Dismissal = Common & { kind: "dismissal"; dismissed: boolean };
/** What a viewer does to a history other than by watching. `at` is the true time, whatever the device's clock says. */
export type Deed = Mark | Dismissal;

/** Of all breaks. */
const MARKS = 0.15;
const DISMISSES = 0.2;
/** Of all who mark something. */
const MARKS_A_SEASON = 0.2;
const MARKS_SEVERAL = 0.25;
const MARKS_WHAT_IS_TO_COME = 0.1;
const UNMARKS = 0.3;
/** Of all who dismiss something. */
const SHOWS_AGAIN = 0.2;

/** What is done in a break, all of it at one moment and on one device. */
export function deedsInBreak(viewer: Viewer, at: number): void {
  const { random, devices, places } = viewer;
  const device = random.pick(devices);
  if (random.chance(DISMISSES) && places.size > 0) {
    const { content, dismissed } = dismissalFor(viewer);
    dismiss(viewer, content, { device, at, dismissed });
  }
  if (!random.chance(MARKS)) return;
  const watched = !random.chance(UNMARKS);
  for (const content of contentsToMark(viewer, watched)) mark(viewer, content, { device, at, watched });
}

/** Something is done to what is on, at the very moment of a beat. */
export function deedOn(viewer: Viewer, content: Content, device: Device, at: number): void {
  const { random } = viewer;
  const its = { device, at };
  const marking = (watched: boolean) => mark(viewer, content, { ...its, watched });
  const dismissing = (dismissed: boolean) => dismiss(viewer, content, { ...its, dismissed });
  random.pick([
    () => marking(true),
    () => marking(false),
    () => dismissing(true),
    // Both at once: that it is watched counts, and that it is hidden.
    () => random.shuffled([true, false]).forEach(marking),
    () => random.shuffled([true, false]).forEach(dismissing),
  ])();
}

/** Somebody whose every event must show marks only what is not on elsewhere, and leaves it so. */
export function deedsOfZapper(viewer: Viewer, at: number): void {
  const { random, devices, deeds, catalogue, places } = viewer;
  const { shows, coming } = catalogue;
  const untouched = [...shows.flatMap(({ episodes }) => episodes), ...coming];
  const content = untouched[deeds.length];
  const device = random.pick(devices);
  if (content) mark(viewer, content, { device, at, watched: true });
  const seen = [...places.keys()];
  if (seen.length > 0) dismiss(viewer, random.pick(seen), { device, at, dismissed: true });
}

export function mark(viewer: Viewer, content: Content, its: Pick<Mark, "device" | "at" | "watched">): void {
  viewer.deeds.push({ kind: "mark", ...its, ...namesOf(viewer, content) });
}

export function dismiss(
  viewer: Viewer,
  content: Content,
  its: Pick<Dismissal, "device" | "at" | "dismissed">,
): void {
  viewer.deeds.push({ kind: "dismissal", ...its, ...namesOf(viewer, content) });
}

function namesOf({ user_id, deeds }: Viewer, { content_id }: Content) {
  return { event_id: `${user_id}.deed.${deeds.length}`, content_id };
}

/** What was begun and may be gone on with, mostly of late; or what was dismissed, to show it again. */
function dismissalFor({ random, places, deeds, beats }: Viewer): { content: Content; dismissed: boolean } {
  const watched = [...places.keys()];
  const hidden = watched.filter(({ content_id }) =>
    deeds.some((deed) => deed.kind === "dismissal" && deed.content_id === content_id),
  );
  if (hidden.length > 0 && random.chance(SHOWS_AGAIN)) {
    return { content: random.pick(hidden), dismissed: false };
  }
  const last = watched.find(({ content_id }) => content_id === beats.at(-1)?.content_id);
  if (last && random.chance(0.6)) return { content: last, dismissed: true };
  const begun = watched.filter((content) => (places.get(content) ?? 0) < content.duration);
  return { content: random.pick(begun.length > 0 ? begun : watched), dismissed: true };
}

/** One or many, each once. */
function contentsToMark(viewer: Viewer, watched: boolean): Content[] {
  const { random, catalogue, places } = viewer;
  const { shows, matches, coming } = catalogue;
  if (random.chance(MARKS_A_SEASON)) {
    const { episodes } = random.pick(shows);
    const season = random.pick(episodes).listed?.season;
    return episodes.filter(({ listed }) => listed?.season === season);
  }
  if (watched && random.chance(MARKS_WHAT_IS_TO_COME)) return [random.pick(coming)];
  const known = [...places.keys(), ...random.pick(shows).episodes];
  const one = () => random.pick(random.chance(0.9) ? known : matches);
  if (!random.chance(MARKS_SEVERAL)) return [one()];
  return [...new Set(Array.from({ length: random.between(2, 4) }, one))];
}
