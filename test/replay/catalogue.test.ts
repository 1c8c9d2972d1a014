import { expect, test } from "vitest";
import { ListedContentInput } from "../../db/contract/contents.ts";
import { ContentId, PlainId } from "../../db/contract/ids.ts";
import { listedIn, readCatalogue } from "./catalogue.ts";

test("the fixtures become contents with valid ids that nobody shares", async () => {
  const { matches, shows, coming } = await readCatalogue();
  const all = [...matches, ...shows.flatMap(({ episodes }) => episodes), ...coming];

  expect(matches.length).toBeGreaterThan(3_000);
  expect(new Set(all.map(({ content_id }) => content_id)).size).toBe(all.length);
  for (const { content_id, catalog_id } of all) {
    ContentId.parse(content_id);
    PlainId.parse(catalog_id);
  }
  expect(matches).toContainEqual({
    content_id: "football:es.1:2024-25:deportivo-alaves-real-betis-balompie:2024-08-25",
    catalog_id: "football:es.1",
    title: "Deportivo Alavés - Real Betis Balompié",
    duration: 7_200,
    listed: expect.objectContaining({ kind: "match", teams: ["Deportivo Alavés", "Real Betis Balompié"] }),
  });
});

test("highlights are as short as a clip can be, and the catalogue knows nothing of them", async () => {
  const { matches } = await readCatalogue();
  expect(Math.min(...matches.map(({ duration }) => duration))).toBe(40);
  expect(matches.filter(({ listed }) => listed === null)).toHaveLength(1_635);
});

test("what the catalogue is told is what it takes, as it is told", async () => {
  for (const listed of listedIn(await readCatalogue()).values()) {
    expect(ListedContentInput.parse(listed)).toEqual(listed);
  }
});

test("shows have specials, gaps, a number that is missing, and what is not released", async () => {
  const { shows, coming } = await readCatalogue();
  const episodes = shows.flatMap(({ episodes }) => episodes.flatMap(({ listed }) => listed ?? []));
  const numbersIn = (name: string, season: number) =>
    episodes.filter((its) => its.show === name && its.season === season).map(({ episode }) => episode);

  expect(numbersIn("The Long Way", 0)).toEqual([1, 2]);
  expect(numbersIn("Gaps & Holes", 1)).toEqual([1, 2, 4, 5, 9]);
  expect(numbersIn("Gaps & Holes", 3)).toEqual([2, 3, null]);
  const ahead = Date.UTC(2100, 0, 1);
  expect(episodes.filter(({ released_at }) => (released_at ?? 0) > ahead)).toHaveLength(3);
  expect(coming.every(({ listed }) => (listed?.released_at ?? 0) > ahead)).toBe(true);
  const teams = new Set((await readCatalogue()).matches.flatMap(({ listed }) => listed?.teams ?? []));
  expect(coming.flatMap(({ listed }) => listed?.teams ?? []).filter((team) => !teams.has(team))).toEqual([]);
});
