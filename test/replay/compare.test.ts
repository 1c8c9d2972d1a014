import { describe, expect, test } from "vitest";
import { asIn, differences, lost, newestFirst, newestShowFirst, type Wanted } from "./compare.ts";
import { aBeat } from "./examples.ts";
import type { Listed, Shown } from "./read.ts";

const T = Date.UTC(2026, 0, 1);
const of = { user_id: "u", view: "history" } as const;

describe("differences", () => {
  test("are none when all is equal", () => {
    expect(compared([wanted("b"), wanted("a")], [shown("b"), shown("a")])).toEqual([]);
  });

  test.each([
    ["playback_time", { playback_time: 601 }],
    ["duration", { duration: null }],
    ["catalog_id", { catalog_id: "other" }],
    ["resume_position_seconds", { resume_position_seconds: null }],
    ["completed", { completed: true }],
    ["teams", { teams: ["B", "A"] }],
    ["teams", { teams: undefined }],
    ["last_watched_at", { last_watched_at: new Date(T - 1).toISOString() }],
    ["last_watched_at", { last_watched_at: new Date(T + 6).toISOString() }],
    ["last_watched_at", { last_watched_at: "" }],
  ])("are found in %s", (field, its) => {
    const found = compared([wanted("a")], [{ ...shown("a"), ...its }]);
    expect(found).toMatchObject([{ ...of, content_id: "a", field }]);
  });

  test("are items that are missing, too much, twice, or in the wrong place", () => {
    expect(compared([wanted("a")], [])).toMatchObject([{ field: "item", found: null }]);
    expect(compared([], [shown("a")])).toMatchObject([{ field: "item", expected: null }]);
    const twice = compared([wanted("a")], [shown("a"), shown("a")]);
    expect(twice).toMatchObject([{ field: "item", expected: null }]);
    const turned = compared([wanted("a"), wanted("b")], [shown("a"), shown("b")]);
    expect(turned).toMatchObject([{ content_id: "b", field: "order" }]);
  });
});

describe("the order", () => {
  const at = (content_id: string, last_watched_at: string, show = ""): Listed => ({
    content_id,
    last_watched_at,
    show,
  });

  test("is by time, then by id downwards", () => {
    expect(newestFirst(at("a", "2"), at("b", "1"))).toBe(true);
    expect(newestFirst(at("b", "1"), at("a", "1"))).toBe(true);
    expect(newestFirst(at("a", "1"), at("b", "1"))).toBe(false);
    expect(newestFirst(at("a", "1"), at("b", "2"))).toBe(false);
  });

  test("of shows is by time, then by name", () => {
    expect(newestShowFirst(at("a", "2", "Z"), at("b", "1", "A"))).toBe(true);
    expect(newestShowFirst(at("a", "1", "A"), at("b", "1", "B"))).toBe(true);
    expect(newestShowFirst(at("b", "1", "B"), at("a", "1", "A"))).toBe(false);
  });

  test("may be that of another list", () => {
    const follows = asIn([wanted("z"), wanted("a")]);
    expect(follows(at("z", ""), at("a", ""))).toBe(true);
    expect(follows(at("a", ""), at("z", ""))).toBe(false);
  });
});

test("lost is what is newer than what is shown", () => {
  const beat = (content_id: string, at: number) => ({ ...aBeat({ content_id, at }), late: 0 });
  const living = [beat("a", T), beat("a", T + 1), beat("b", T)];
  expect(lost(living, [shown("a"), shown("b")])).toMatchObject([{ content_id: "a", at: T + 1 }]);
  expect(lost(living, [])).toHaveLength(3);
});

function compared(expected: readonly Wanted[], found: readonly Listed[]) {
  return differences(of, expected, found, newestFirst);
}

function wanted(content_id: string): Wanted {
  return { ...shown(content_id), last_watched_at: { from: T, to: T + 5 } };
}

function shown(content_id: string): Shown {
  return {
    content_id,
    catalog_id: "football",
    playback_time: 600,
    duration: 7_200,
    resume_position_seconds: 600,
    completed: false,
    last_watched_at: new Date(T).toISOString(),
    teams: ["A", "B"],
  };
}
