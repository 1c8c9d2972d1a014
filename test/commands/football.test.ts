import { describe, expect, test } from "vitest";
import { parseFixtures } from "../../commands/football.ts";

const place = { season: "2024-25", league: "en.1" };
const match = {
  round: "Matchday 1",
  date: "2024-12-14",
  time: "15:00",
  team1: "Arsenal FC",
  team2: "Everton FC",
};
const contentsOf = (matches: unknown, its = place, name = "English Premier League 2024/25") =>
  parseFixtures(JSON.stringify({ name, matches }), its)?.map(({ content }) => content);

test("a match becomes a content, with its kickoff as UTC", () => {
  expect(contentsOf([{ ...match, score: { ft: [0, 0] } }])).toEqual([
    {
      content_id: "football:en.1:2024-25:arsenal-fc-everton-fc:2024-12-14",
      kind: "match",
      title: "Arsenal FC - Everton FC",
      thumbnail: null,
      duration: 7_200,
      sport: "football",
      series: "English Premier League 2024/25",
      teams: ["Arsenal FC", "Everton FC"],
      show: null,
      season: null,
      episode: null,
      credits_at: null,
      released_at: Date.UTC(2024, 11, 14, 15),
    },
  ]);
});

test("a kickoff without a time is the date", () => {
  for (const time of [undefined, null]) {
    expect(contentsOf([{ ...match, time }])?.[0]?.released_at).toBe(Date.UTC(2024, 11, 14));
  }
});

test("an id has only characters of ids, and teams keep their names", () => {
  const odd = { ...match, team1: "Deportivo Alavés", team2: "1. FC Köln (GER)" };
  const [content] = contentsOf([odd], { season: "2024 25", league: "de/1 é" }) ?? [];
  expect(content?.content_id).toBe("football:de-1-:2024-25:deportivo-alaves-1-fc-koln-ger:2024-12-14");
  expect(content?.teams).toEqual(["Deportivo Alavés", "1. FC Köln (GER)"]);
});

test("teams of other alphabets are told apart", () => {
  const [one, two] =
    contentsOf([
      { ...match, team1: "Зенит" },
      { ...match, team1: "Спартак" },
    ]) ?? [];
  expect(one?.content_id).toMatch(/^football:en\.1:2024-25:[0-9a-f]+-everton-fc:2024-12-14$/);
  expect(two?.content_id).not.toBe(one?.content_id);
});

test.each([
  "# Public domain",
  "[]",
  "null",
  '{"name":"Clubs","clubs":[{"name":"Arsenal FC"}]}',
  '{"matches":{}}',
  '{"matches":[]}',
  "",
])("%j is no file of fixtures", (text) => {
  expect(parseFixtures(text, place)).toBeNull();
});

describe("what is wrong with a match is said by name", () => {
  test.each([
    [{ ...match, date: "14.12.2024" }, "matches.1.date"],
    [{ ...match, date: "2024-02-30" }, "matches.1.date"],
    [{ ...match, time: "25:00" }, "matches.1.time"],
    [{ ...match, team1: undefined }, "matches.1.team1"],
    [{ ...match, team2: { name: "Everton FC" } }, "matches.1.team2"],
    [{ ...match, team1: "x".repeat(200) }, "matches.1.content_id"],
    [null, "matches.1"],
  ])("%j", (bad, path) => {
    expect(() => contentsOf([match, bad])).toThrow(`${path}: `);
  });
});
