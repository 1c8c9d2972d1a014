import { expect, test } from "vitest";
import { aBeat, aContent, aMark, catalogueOf, tell } from "../examples.ts";
import { createModel } from "../model.ts";

const NOW = 1_000_000;
const match = (id: string, teams: string[], released_at: number) =>
  aContent(id, { kind: "match", teams, released_at });

const catalogue = catalogueOf(
  match("old.1", ["A", "B"], 1),
  match("old.2", ["A", "C"], 2),
  match("old.3", ["C", "D"], 2),
  match("today", ["A", "C"], NOW),
  match("b.late", ["B", "X"], NOW + 3),
  match("a.first", ["A", "X"], NOW + 1),
  match("a.then", ["A", "B"], NOW + 2),
  match("d.2", ["D", "X"], NOW + 1),
  match("d.1", ["D", "Y"], NOW + 1),
  aContent("clip", { kind: "clip", teams: ["C"], released_at: NOW + 1 }),
);

test("the next match of each team that was watched, those watched most first, then by name", () => {
  expect(nextAfter("old.1", "old.2")).toEqual(["a.first for A", "a.then for B"]);
  expect(nextAfter("old.1", "old.3")).toEqual(["a.first for A", "a.then for B", "d.1 for D"]);
  expect(nextAfter("unknown")).toEqual([]);
});

test("one that was marked as watched is over, and counts for its teams", () => {
  const model = tell(createModel(catalogue), aMark({ content_id: "a.first" }));
  expect(model.nextFixtures("u", NOW).map(({ content_id }) => content_id)).toEqual(["a.then", "d.2"]);
});

test("a match of two teams is there once, and only ten teams count", () => {
  const teams = Array.from({ length: 12 }, (_, n) => String.fromCharCode(97 + n));
  const many = catalogueOf(
    match("both", ["a", "b"], NOW + 1),
    ...teams.flatMap((team) => [match(`old.${team}`, [team], 1), match(`next.${team}`, [team], NOW + 2)]),
  );
  const model = tell(
    createModel(many),
    ...teams.map((team) => aBeat({ content_id: `old.${team}`, event_id: team })),
  );
  const found = model.nextFixtures("u", NOW);
  expect(found.map(({ content_id }) => content_id)).toEqual([
    "both",
    ...teams.slice(2, 10).map((t) => `next.${t}`),
  ]);
  expect(found[0]).toMatchObject({ team: "a" });
});

function nextAfter(...watched: string[]): string[] {
  const beats = watched.map((content_id) => aBeat({ content_id, event_id: content_id }));
  const found = tell(createModel(catalogue), ...beats).nextFixtures("u", NOW);
  return found.map(({ content_id, team }) => `${content_id} for ${team}`);
}
