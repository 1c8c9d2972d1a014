import { beforeAll, describe, expect, test } from "vitest";
import type { Viewer } from "./beat.ts";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { aDevice } from "./examples.ts";
import { randomFrom } from "./random.ts";
import { sit, type Taste } from "./sitting.ts";

const HOUR = 3_600_000;
const EVENINGS = 8;

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await readCatalogue();
});

describe("somebody who watches a show", () => {
  test("in order begins each episode after the one before, specials last, and nothing that is not released", () => {
    const plays = playsOf("Coming Soon", "in order");
    const firsts = [...new Set(plays.map(({ content_id }) => content_id))];
    const number = (n: number) => `made-up:coming-soon:1:${n}`;
    expect(firsts).toEqual([1, 2, 3, 5, 6].map(number));
  });

  test("in any order leaves many episodes in the middle, and looks into specials, too", () => {
    const plays = playsOf("The Long Way", "in any order");
    const firsts = [...new Set(plays.map(({ content_id }) => content_id))];
    expect(firsts).not.toEqual(firsts.toSorted());
    expect(firsts.some((id) => id.startsWith("made-up:the-long-way:0"))).toBe(true);
    expect(plays.filter(({ finished }) => !finished).length).toBeGreaterThan(plays.length / 3);
  });

  test("again and again finishes some of them more than once", () => {
    const finished = playsOf("Gaps & Holes", "again and again").filter((play) => play.finished);
    expect(new Set(finished.map(({ content_id }) => content_id)).size).toBeLessThan(finished.length);
    expect(new Set(finished.map(({ play_id }) => play_id)).size).toBe(finished.length);
  });
});

/** The plays of a few evenings, in their order, and which of them came to the end. */
function playsOf(show: string, order: Taste["order"]) {
  const shows = catalogue.shows.filter(({ name }) => name === show);
  const viewer: Viewer = {
    ...{ user_id: "u", random: randomFrom(order), catalogue, devices: [aDevice()] },
    ...{ beats: [], deeds: [], places: new Map() },
  };
  for (let n = 0; n < EVENINGS; n++)
    sit(viewer, { shows, watches_shows: 1, order }, n * HOUR, (n + 1) * HOUR);
  const plays = Map.groupBy(viewer.beats, ({ play_id }) => play_id);
  return Array.from(plays, ([play_id, beats]) => ({
    play_id,
    content_id: beats[0]?.content_id ?? "",
    finished: beats.some(({ playback_time, duration }) => playback_time === duration),
  }));
}
