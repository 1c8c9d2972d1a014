import fc from "fast-check";
import { expect, test } from "vitest";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Progress } from "../../db/contract/views.ts";
import { type Fixture, nextFixtures } from "../../ingest/views/next-fixtures.ts";

const now = 100;

function fixture(
  content_id: string,
  released_at: number,
  teams: string,
  its: Partial<Progress> = {},
): Fixture {
  const progress: Progress = {
    ...{ content_id: content_id as ContentId, catalog_id: null, playback_time: 0, duration: 7_200 },
    ...{ watched_at: 0, position_at: 0, completed_at: 0, marked_at: 0, marked: false, dismissed_at: 0 },
    ...{ credits_at: null, live: false },
    ...its,
  };
  const seen = Object.keys(its).length > 0 ? progress : null;
  return { content_id: content_id as ContentId, released_at, teams: teams.split(" "), progress: seen };
}

const told = (teams: string, ...fixtures: Fixture[]) => {
  const { proposed, until } = nextFixtures(teams.split(" "), fixtures, now);
  return [proposed.map(({ content_id, team }) => `${team}:${content_id}`).join(" "), until];
};

test("each team has its earliest fixture, in the order of the teams", () => {
  const fixtures = [fixture("m1", 130, "A C"), fixture("m2", 120, "A D"), fixture("m3", 110, "B D")];
  expect(told("A B", ...fixtures)).toEqual(["A:m2 B:m3", 110]);
  expect(told("C A", ...fixtures)).toEqual(["C:m1 A:m2", 120]);
});

test("one of two teams is there once, and the second has no other in its place", () => {
  const fixtures = [fixture("m1", 110, "A B"), fixture("m2", 120, "B C")];
  expect(told("A B", ...fixtures)).toEqual(["A:m1", 110]);
  expect(told("B A", ...fixtures)).toEqual(["B:m1", 110]);
});

test("ties go to the lower id", () => {
  expect(told("A", fixture("m2", 110, "A"), fixture("m10", 110, "A"))).toEqual(["A:m10", 110]);
});

test("what has begun is over: at the very instant, too", () => {
  expect(told("A", fixture("m1", 100, "A"), fixture("m2", 101, "A"))).toEqual(["A:m2", 101]);
  expect(told("A", fixture("m1", 99, "A"))).toEqual(["", null]);
});

test("what the viewer is done with is left out, and nothing else of what the viewer did", () => {
  const done = fixture("m1", 110, "A", { marked_at: 1, marked: true });
  const seen = fixture("m2", 111, "A", { completed_at: 1, position_at: 1 });
  const next = fixture("m3", 120, "A", { marked_at: 1, marked: false, position_at: 2, playback_time: 60 });
  expect(told("A", done, seen, next)).toEqual(["A:m3", 120]);
  expect(told("A", done, seen)).toEqual(["", null]);
});

test("nobody is followed, nothing comes", () => {
  expect(nextFixtures([], [fixture("m1", 110, "A")], now)).toEqual({ proposed: [], until: null });
  expect(told("B", fixture("m1", 110, "A"))).toEqual(["", null]);
});

test("of any fixtures: nothing changes before the time that is told", () => {
  const anyFixture = fc
    .tuple(
      fc.integer({ min: 90, max: 120 }),
      fc.subarray(["A", "B", "C", "D"], { minLength: 1 }),
      fc.nat({ max: 30 }),
    )
    .map(([at, teams, id]) => fixture(`m${id}`, at, teams.join(" ")));
  fc.assert(
    fc.property(fc.uniqueArray(anyFixture, { selector: ({ content_id }) => content_id }), (fixtures) => {
      const teams = ["B", "A", "C"];
      const { proposed, until } = nextFixtures(teams, fixtures, now);
      expect(nextFixtures(teams, fixtures, (until ?? 1_000) - 1).proposed).toEqual(proposed);
      expect(new Set(proposed.map(({ content_id }) => content_id)).size).toBe(proposed.length);
      if (until !== null) expect(nextFixtures(teams, fixtures, until).proposed).not.toEqual(proposed);
    }),
    { numRuns: 1_000 },
  );
});
