import type { Viewer } from "./beat.ts";
import type { Content } from "./catalogue.ts";
import type { Random } from "./random.ts";
import type { Show } from "./shows.ts";
import { BEAT_MS, watch } from "./watching.ts";

/** What somebody likes to watch, and how. */
export type Taste = {
  shows: readonly Show[];
  /** Of all sittings. */
  watches_shows: number;
  order: "in order" | "in any order" | "again and again";
};

/** Of all sittings with a match. */
const COMES_BACK = 0.6;
/** Half of all people join a match late, and few an episode. */
const JOINS = { match: 0.5, episode: 0.1 };
/** Of all beats: a match, an episode, and an episode of somebody who only looks into this one and that one. */
const QUITS = { match: 0.012, episode: 0.012, sample: 0.08 };
/** After an episode that was watched to its end. */
const GOES_ON = 0.75;
/** Of all episodes of somebody who likes to. */
const WATCHES_AGAIN = 0.5;

export function chooseTaste(random: Random, shows: readonly Show[]): Taste {
  return {
    shows: random.shuffled(shows).slice(0, random.between(1, 2)),
    watches_shows: random.pick([0, 0.2, 0.5, 0.9]),
    order: random.pick(["in order", "in order", "in any order", "again and again"]),
  };
}

/** Sits down before a match, or before one episode after the other of a show. @returns when it was over. */
export function sit(viewer: Viewer, taste: Taste, from: number, until: number): number {
  const { random, places } = viewer;
  if (!random.chance(taste.watches_shows)) {
    return watch(viewer, matchFor(viewer), { from, until, joins: JOINS.match, quits: QUITS.match });
  }
  const show = random.pick(taste.shows);
  const quits = taste.order === "in any order" ? QUITS.sample : QUITS.episode;
  for (let at = from; ; at += BEAT_MS) {
    const episode = episodeFor(viewer, show, taste.order);
    at = watch(viewer, episode, { from: at, until, joins: JOINS.episode, quits });
    const over = places.get(episode) !== episode.duration || at + 2 * BEAT_MS >= until;
    if (over || !random.chance(GOES_ON)) return at;
  }
}

function matchFor({ random, catalogue, places }: Viewer): Content {
  const begun = [...places.keys()];
  return begun.length > 0 && random.chance(COMES_BACK) ? random.pick(begun) : random.pick(catalogue.matches);
}

function episodeFor({ random, places }: Viewer, { episodes }: Show, order: Taste["order"]): Content {
  const released = episodes.filter(({ listed }) => (listed?.released_at ?? 0) < Date.UTC(2100, 0, 1));
  const finished = released.filter((episode) => places.get(episode) === episode.duration);
  if (order === "in any order") return random.pick(released);
  if (order === "again and again" && finished.length > 0 && random.chance(WATCHES_AGAIN)) {
    return random.pick(finished);
  }
  const next = released.find(({ listed, ...its }) => listed?.season !== 0 && !isFinished(its.content_id));
  return next ?? random.pick(released);

  function isFinished(id: string): boolean {
    return finished.some(({ content_id }) => content_id === id);
  }
}
