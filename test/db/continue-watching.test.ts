import { describe, expect, test } from "vitest";
import { ContinueItem, continueRequest, continueWatching } from "../../db/contract/continue-watching.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Narrowed, Progress, RecordView } from "../../db/contract/views.ts";

/** Watched to a third, at this time. */
function watched(content_id: string, position_at: number, its: Partial<Progress> = {}): Progress {
  return {
    content_id: content_id as ContentId,
    ...{ catalog_id: null, playback_time: 200, duration: 600, watched_at: position_at, position_at },
    ...{ completed_at: 0, marked_at: 0, marked: false, dismissed_at: 0, credits_at: null, live: false },
    ...its,
  };
}

function of(progress: Progress, its: Partial<RecordView> | null = null): Narrowed {
  const nothing = { title: null, thumbnail: null, sport: null, series: null, teams: [], show: null };
  return { progress, record: its && { ...nothing, season: null, episode: null, ...its } };
}

const idsOf = (items: Narrowed[], limit = 20) =>
  continueWatching(items, limit).map((entry) => entry.content_id);

describe("what to continue", () => {
  test("is what has a position to resume from, with title, thumbnail and the share that was watched", () => {
    const items = [
      of(watched("done", 9, { completed_at: 9 })),
      of(watched("movie", 8), { title: "A movie", thumbnail: "https://example.com/a.jpg" }),
      of(watched("unknown", 7)),
    ];
    const entries = continueWatching(items, 20);
    expect(entries.map((entry) => ContinueItem.parse(entry))).toEqual(entries);
    expect(entries).toMatchObject([
      {
        ...{ content_id: "movie", resume_position_seconds: 200, progress: 1 / 3 },
        ...{ title: "A movie", thumbnail: "https://example.com/a.jpg" },
      },
      { content_id: "unknown", progress: 1 / 3, title: null, teams: [] },
    ]);
  });

  test("ends with as many as are wanted", () => {
    const items = ["c", "b", "a"].map((id, n) => of(watched(id, 9 - n)));
    expect(idsOf(items, 2)).toEqual(["c", "b"]);
  });

  test("has one entry a show, its newest that can be resumed; what has no show stands for itself", () => {
    const show = { show: "S" };
    const items = [
      of(watched("s4", 9, { completed_at: 9 }), show),
      of(watched("s3", 8), show),
      of(watched("movie", 7)),
      of(watched("s2", 6), show),
      of(watched("other", 5), { show: "s" }),
      of(watched("film", 4)),
    ];
    expect(idsOf(items)).toEqual(["s3", "movie", "other", "film"]);
  });

  test("a show whose entry is dismissed is hidden, and no older episode comes up", () => {
    const show = { show: "S" };
    const dismissed = of(watched("s2", 8, { dismissed_at: 10 }), show);
    const older = of(watched("s1", 6), show);
    expect(idsOf([dismissed, older])).toEqual([]);
    // Newer activity, in the episode or in another one.
    expect(idsOf([of(watched("s2", 11, { dismissed_at: 10 }), show), older])).toEqual(["s2"]);
    expect(idsOf([of(watched("s1", 11), show), dismissed])).toEqual(["s1"]);
  });

  test("an older episode that was dismissed hides nothing", () => {
    const show = { show: "S" };
    expect(idsOf([of(watched("s2", 8), show), of(watched("s1", 6, { dismissed_at: 7 }), show)])).toEqual([
      "s2",
    ]);
  });

  test("a dismissal at the instant of the last activity hides it", () => {
    expect(idsOf([of(watched("a", 8, { dismissed_at: 8 }))])).toEqual([]);
    expect(idsOf([of(watched("a", 8, { dismissed_at: 7 }))])).toEqual(["a"]);
  });
});

test("takes a limit of 1 to 100, and nothing else", () => {
  expect(continueRequest({})).toBe(20);
  expect(continueRequest({ limit: ["100"] })).toBe(100);
  for (const query of [{ limit: ["0"] }, { limit: ["101"] }, { limit: ["1", "2"] }, { show: ["x"] }]) {
    expect(() => continueRequest(query)).toThrow();
  }
});
