import { describe, expect, test } from "vitest";
import { differences, lost } from "./compare.ts";
import { aBeat } from "./examples.ts";
import type { Expected } from "./model.ts";
import type { Shown } from "./read.ts";

const T = Date.UTC(2026, 0, 1);

describe("differences", () => {
  test("are none when all is equal", () => {
    expect(differences("u", [wanted("b"), wanted("a")], [shown("b"), shown("a")])).toEqual([]);
  });

  test.each([
    ["playback_time", { playback_time: 601 }],
    ["duration", { duration: null }],
    ["catalog_id", { catalog_id: "other" }],
    ["resume_position_seconds", { resume_position_seconds: null }],
    ["completed", { completed: true }],
    ["last_watched_at", { last_watched_at: new Date(T - 1).toISOString() }],
    ["last_watched_at", { last_watched_at: new Date(T + 6).toISOString() }],
  ])("are found in %s", (field, its) => {
    const found = differences("u", [wanted("a")], [{ ...shown("a"), ...its }]);
    expect(found).toMatchObject([{ user_id: "u", content_id: "a", field }]);
  });

  test("are items that are missing, too much, twice, or in the wrong place", () => {
    expect(differences("u", [wanted("a")], [])).toMatchObject([{ field: "item", found: null }]);
    expect(differences("u", [], [shown("a")])).toMatchObject([{ field: "item", expected: null }]);
    const twice = differences("u", [wanted("a")], [shown("a"), shown("a")]);
    expect(twice).toMatchObject([{ field: "item", expected: null }]);
    const turned = differences("u", [wanted("a"), wanted("b")], [shown("a"), shown("b")]);
    expect(turned).toMatchObject([{ content_id: "b", field: "order" }]);
  });
});

test("lost is what is newer than what is shown", () => {
  const beat = (content_id: string, at: number) => ({ ...aBeat({ content_id, at }), late: 0 });
  const living = [beat("a", T), beat("a", T + 1), beat("b", T)];
  expect(lost(living, [shown("a"), shown("b")])).toMatchObject([{ content_id: "a", at: T + 1 }]);
  expect(lost(living, [])).toHaveLength(3);
});

function wanted(content_id: string): Expected {
  const { last_watched_at, ...rest } = shown(content_id);
  return { ...rest, last_watched_at: { from: Date.parse(last_watched_at), to: T + 5 } };
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
  };
}
