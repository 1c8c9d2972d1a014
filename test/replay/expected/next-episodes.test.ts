import { describe, expect, test } from "vitest";
import type { ListedContent } from "../../../db/contract/contents.ts";
import type { Beat } from "../beat.ts";
import type { Deed } from "../deeds.ts";
import { aContent, aMark, aPlay, aShow, catalogueOf, tell } from "../examples.ts";
import { createModel } from "../model.ts";

const NOW = 1_000_000;
const seasons = aShow({ 0: 2, 1: 3, 2: 2 });
const done = (id: string, at: number) => aPlay(id, at, 100);
const begun = (id: string, at: number) => aPlay(id, at, 50);
const marked = (id: string, at: number) => aMark({ content_id: id, at });
const unmarked = (id: string, at: number) =>
  aMark({ content_id: id, at, watched: false, event_id: `not.${id}.${at}` });

describe("the next episode", () => {
  test.each<[string, (Beat | Deed)[], string[]]>([
    ["follows the last finished one", [done("s1e1", 1)], ["s1e2"]],
    ["is in the next season", [done("s1e3", 1)], ["s2e1"]],
    ["is none after the last", [done("s2e2", 1)], []],
    ["is none while none is finished", [begun("s1e1", 1)], []],
    ["follows what is marked", [marked("s1e2", 1)], ["s1e3"]],
    ["follows no mark that was taken back", [marked("s1e2", 1), unmarked("s1e2", 2)], []],
    [
      "follows the furthest of a season marked at once",
      [marked("s1e1", 1), marked("s1e3", 1), marked("s1e2", 1)],
      ["s2e1"],
    ],
    ["follows the latest finish, not the furthest", [done("s2e1", 1), done("s1e1", 2)], ["s1e2"]],
    ["passes over what is finished", [done("s1e2", 1), done("s1e1", 2)], ["s1e3"]],
    [
      "is simply the following one after a rewatch",
      [done("s1e2", 1), done("s1e1", 2), done("s1e1", 3)],
      ["s1e2"],
    ],
    ["counts a mark as the first time", [done("s1e2", 1), marked("s1e1", 2), done("s1e1", 3)], ["s1e2"]],
    ["counts no mark as a rewatch", [done("s1e2", 1), done("s1e1", 2), marked("s1e1", 3)], ["s1e3"]],
    [
      "counts no finish that was unmarked",
      [done("s1e2", 1), done("s1e1", 2), unmarked("s1e1", 3), done("s1e1", 4)],
      ["s1e3"],
    ],
    ["is not there while it is in progress", [begun("s1e2", 1), done("s1e1", 2)], []],
    ["is not there while the show is on elsewhere", [done("s1e1", 1), begun("s1e3", 2)], []],
    ["is there when something else was on before", [begun("s1e3", 1), done("s1e1", 2)], ["s1e2"]],
    ["is never a special, nor after one", [done("s0e1", 1)], []],
    ["does not wait while a special is on", [done("s1e1", 1), begun("s0e1", 2)], ["s1e2"]],
  ])("%s", (_, events, ids) => {
    expect(idsOf(seasons, ...events)).toEqual(ids);
    expect(idsOf(seasons, ...events.toReversed())).toEqual(ids);
  });

  test("is told with the catalogue's words and when the one before was finished", () => {
    const model = createModel(catalogueOf(...seasons));
    model.heard("u", done("s1e1", 5_000), 30);
    expect(model.nextEpisodes("u", NOW)).toMatchObject([
      {
        content_id: "s1e2",
        show: "show",
        season: 1,
        episode: 2,
        last_watched_at: { from: 5_000, to: 5_030 },
      },
    ]);
  });

  test("passes over what is not released, what is missing, and what has no number", () => {
    const gaps = seasons.flatMap((content) => {
      if (content.content_id === "s1e2") return [];
      return content.content_id === "s1e3" ? [{ ...content, released_at: NOW + 1 }] : [content];
    });
    const odd = aContent("odd", { show: "show", season: 1 });
    expect(idsOf([...gaps, odd], done("s1e1", 1))).toEqual(["s2e1"]);
    expect(idsOf([...gaps, odd], done("odd", 1))).toEqual([]);
    const released = gaps.map((content) => ({ ...content, released_at: NOW }));
    expect(idsOf(released, done("s1e1", 1))).toEqual(["s1e3"]);
  });

  test("is one for each show", () => {
    const shows = [...seasons, ...aShow({ 1: 2 }, "other")];
    expect(idsOf(shows, done("s1e1", 1), done("other.s1e1", 2)).sort()).toEqual(["other.s1e2", "s1e2"]);
  });
});

test("a play that began in what is forgotten is no earlier one", () => {
  const model = tell(createModel(catalogueOf(...seasons)), done("s1e2", 1_000));
  tell(model, aPlay("s1e1", 10, 50, "long"), aPlay("s1e1", 100, 100, "long"), done("s1e1", 200));
  const ids = () => model.nextEpisodes("u", NOW).map(({ content_id }) => content_id);
  tell(model, done("s1e1", 2_000));
  expect(ids()).toEqual(["s1e2"]);
  model.forgot("u", "s1e1", 10);
  expect(ids()).toEqual(["s1e2"]);
  model.forgot("u", "s1e1", 200);
  expect(ids()).toEqual(["s1e3"]);
});

function idsOf(contents: readonly ListedContent[], ...events: (Beat | Deed)[]): string[] {
  const model = tell(createModel(catalogueOf(...contents)), ...events);
  return model.nextEpisodes("u", NOW).map(({ content_id }) => content_id);
}
