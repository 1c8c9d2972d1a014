import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContentId } from "../../db/contract/ids.ts";
import { finishedAt, type Progress, resumeOf } from "../../db/contract/views.ts";
import { type Episode, nextEpisodes } from "../../ingest/views/next-episodes.ts";
import { episodesOf, NOW, type Story } from "../support/story.ts";

/** What comes next, as the rule says it, without stores. */

const MINUTE = 60_000;
const TWO = "1x1 1x2 1x3 2x1 2x2";

/** What is proposed now, and in how many minutes that may be another. */
function told(story: Story) {
  const { proposed, until } = nextEpisodes(episodesOf(story), NOW);
  return [
    proposed.map(({ content_id }) => content_id).join(" "),
    until === null ? null : (until - NOW) / MINUTE,
  ];
}

type Row = [name: string, did: string[], next: string, shows?: string];

describe("in order", () => {
  test.each<Row>([
    ["the one after the last finished", ["end 1x1"], "1x2"],
    ["after several", ["end 1x1", "end 1x2"], "1x3"],
    ["from season to season", ["end 1x3"], "2x1"],
    ["nothing after the last one", ["end 2x2"], ""],
    ["nothing before anything was finished", ["half 1x1", "look 1x2"], ""],
    ["nothing before anything was watched", [], ""],
    ["numbers are numbers", ["end 1x2"], "1x10", "1x1 1x2 1x10 10x1"],
    ["seasons are numbers", ["end 2x1"], "10x1", "1x1 2x1 10x1"],
    ["a missing number is passed over", ["end 1x1"], "1x4", "1x1 1x4 1x5"],
    ["so is a missing season", ["end 1x1"], "4x2", "1x1 4x2"],
    ["finished in the credits", ["credits 1x1"], "1x2"],
  ])("%s", (_, did, next, shows = TWO) => {
    expect(told({ shows: { show: shows }, did })).toEqual([next, null]);
  });
});

describe("out of order", () => {
  const SIX = "1x1 1x2 1x3 1x4 1x5 1x6 1x7";
  test.each<Row>([
    ["from the middle", ["end 1x4"], "1x5"],
    ["a later one counts by when it was finished", ["end 1x5", "end 1x2"], "1x3"],
    ["1, 2, 5 and then 3: 4", ["end 1x1", "end 1x2", "end 1x5", "end 1x3"], "1x4"],
    ["1, 2, 5, 3 and then 4: 6", ["end 1x1", "end 1x2", "end 1x5", "end 1x3", "end 1x4"], "1x6"],
    ["never back: what was left out before it stays out", ["end 1x1", "end 1x7"], ""],
    ["an earlier one that was watched alone", ["end 1x6", "end 1x1"], "1x2"],
  ])("%s", (_, did, next) => {
    expect(told({ shows: { show: SIX }, did })).toEqual([next, null]);
  });
});

describe("watched again", () => {
  const all = ["end 1x1", "end 1x2", "end 1x3", "end 2x1", "end 2x2"];
  test.each<Row>([
    ["from the start: the one that follows, finished or not", [...all, "end 1x1"], "1x2"],
    ["and so on", [...all, "end 1x1", "end 1x2"], "1x3"],
    ["one in the middle", [...all, "end 1x3"], "2x1"],
    ["the last one", [...all, "end 2x2"], ""],
    ["to a new one", ["end 1x1", "end 1x2", "end 1x1", "end 1x2"], "1x3"],
    ["half of it is not again", ["end 1x1", "end 1x2", "half 1x1", "look 1x3"], "1x3"],
    ["after it was marked", ["mark 1x1, mark 1x2, mark 1x3", "end 1x1"], "1x2"],
    ["a mark is no watching", ["end 1x1", "end 1x2", "end 1x3", "mark 1x1"], "2x1"],
    ["nor is one at the same instant", ["end 1x1", "end 1x2", "end 1x1, mark 1x1"], "1x3"],
    ["what was unmarked is new", ["end 1x1", "end 1x2", "unmark 1x1", "end 1x1"], "1x3"],
    ["twice after that is again", ["end 1x2", "unmark 1x1", "end 1x1", "end 1x1"], "1x2"],
    ["in another content of the number", ["end 1x2", "end 1x1", "end 1x1b"], "1x2", "1x1 1x1b 1x2 1x3"],
    ["in the credits, after a mark", ["mark 1x1, mark 1x2", "credits 1x1"], "1x2"],
  ])("%s", (_, did, next, shows = TWO) => {
    expect(told({ shows: { show: shows }, did })).toEqual([next, null]);
  });
});

describe("marks", () => {
  test.each<Row>([
    ["a mark finishes", ["mark 1x1"], "1x2"],
    ["a season in one batch: the next season's first", ["mark 1x3, mark 1x1, mark 1x2"], "2x1"],
    ["also when some of it was watched before", ["end 1x3", "mark 1x1, mark 1x2, mark 1x3"], "2x1"],
    ["unmarked is not finished", ["end 1x1", "end 1x2", "unmark 1x2"], "1x2"],
    ["unmarked, all of it", ["end 1x1", "unmark 1x1"], ""],
    ["a mark after it was begun ends that", ["end 1x1", "half 1x2", "mark 1x2"], "1x3"],
    ["unmarked after it was begun ends that, too", ["end 1x1", "half 1x2", "unmark 1x2"], "1x2"],
  ])("%s", (_, did, next) => {
    expect(told({ shows: { show: TWO }, did })).toEqual([next, null]);
  });
});

describe("specials", () => {
  const SPECIAL = "0x1 0x2 1x1 1x2";
  test.each<Row>([
    ["are not proposed", ["end 1x2"], "", "1x1 1x2 0x3"],
    ["lead nowhere", ["end 0x1"], ""],
    ["change nothing", ["end 1x1", "end 0x1"], "1x2"],
    ["do not interrupt while they are in progress", ["end 1x1", "half 0x1"], "1x2"],
    ["do not hide that an episode is", ["end 1x1", "half 1x2", "half 0x1"], ""],
    ["until something else is watched", ["half 0x1", "end 1x1"], "1x2"],
  ])("%s", (_, did, next, shows = SPECIAL) => {
    expect(told({ shows: { show: shows }, did })).toEqual([next, null]);
  });
});

describe("in progress", () => {
  test.each<Row>([
    ["the proposed one is continued instead", ["end 1x1", "half 1x2"], ""],
    ["also when it was begun before", ["half 1x2", "end 1x1"], ""],
    ["the newest one is continued instead", ["end 1x1", "half 2x1"], ""],
    ["also an earlier one", ["end 1x1", "end 1x2", "half 1x1"], ""],
    ["an older one is not in the way", ["half 2x1", "end 1x1"], "1x2"],
    ["one at the same instant is", ["end 1x1, half 2x1"], ""],
    ["one that was only looked into is proposed", ["end 1x1", "look 1x2"], "1x2"],
    ["looking into another ends it", ["end 1x1", "half 2x1", "look 1x3"], "1x2"],
    ["what is dismissed is in neither", ["end 1x1", "half 1x2", "dismiss 1x2"], ""],
    ["another content of the proposed number", ["half 1x2b", "end 1x1"], "", "1x1 1x2 1x2b 1x3"],
    ["what was finished and is begun again", ["end 1x1", "end 1x2", "half 1x2"], ""],
  ])("%s", (_, did, next, shows = TWO) => {
    expect(told({ shows: { show: shows }, did })).toEqual([next, null]);
  });
});

describe("several contents of one number", () => {
  const TWICE = "1x1 1x1b 1x2 1x2b 1x3";
  test.each<Row>([
    ["are one episode: the lowest id is proposed", ["end 1x1b"], "1x2"],
    ["finished if any is", ["end 1x2b", "end 1x1"], "1x3"],
    ["and by the latest", ["end 1x1", "end 1x2b", "end 1x1b"], "1x2"],
    ["one that was looked into does not hide the other", ["end 1x1", "look 1x2b"], "1x2"],
    ["and comes first, wherever it stands", ["end 1x1"], "1x2", "1x1 1x3 1x2c 1x2b 1x2"],
  ])("%s", (_, did, next, shows = TWICE) => {
    expect(told({ shows: { show: shows }, did })).toEqual([next, null]);
  });
});

describe("what is not released", () => {
  test.each<[string, string[], Record<string, number>, string, number | null]>([
    ["is passed over, until it is", ["end 1x1"], { "1x2": 7 }, "1x3", 7],
    ["so are several, until the first is", ["end 1x1"], { "1x2": 9, "1x3": 7 }, "2x1", 7],
    ["with nothing left, the show waits", ["end 1x3"], { "2x1": 5, "2x2": 6 }, "", 5],
    ["later ones change nothing", ["end 1x1"], { "1x3": 5 }, "1x2", null],
    ["earlier ones change nothing", ["end 1x3"], { "1x1": 5 }, "2x1", null],
    ["nor does what was seen before its release", ["end 1x2", "end 1x1"], { "1x2": 5 }, "1x3", null],
    ["what is watched again waits for it", ["end 1x2", "end 1x1", "end 1x1"], { "1x2": 5 }, "1x3", 5],
    ["a show that is continued waits for the viewer", ["end 1x1", "half 1x3"], { "1x2": 5 }, "", null],
    ["one before what is continued would be proposed", ["half 1x3", "end 1x1"], { "1x2": 5 }, "", 5],
    ["a show without anything finished waits for the viewer", ["look 1x1"], { "1x2": 5 }, "", null],
  ])("%s", (_, did, later, next, minutes) => {
    expect(told({ shows: { show: TWO }, did, later })).toEqual([next, minutes]);
  });

  test("is there from its instant on", () => {
    const episodes = episodesOf({ shows: { show: TWO }, did: ["end 1x1"], later: { "1x2": 7 } });
    const at = (now: number) => nextEpisodes(episodes, now).proposed[0]?.content_id;
    expect([at(NOW + 7 * MINUTE - 1), at(NOW + 7 * MINUTE)]).toEqual(["1x3", "1x2"]);
  });

  test("of two contents of a number the released one counts, until the other is", () => {
    const shows = { show: "1x1 1x2 1x2b" };
    expect(told({ shows, did: ["end 1x1"], later: { "1x2": 7 } })).toEqual(["1x2b", 7]);
    expect(told({ shows, did: ["end 1x1"], later: { "1x2b": 7 } })).toEqual(["1x2", 7]);
  });
});

describe("shows", () => {
  test("the newest finish first, ties by name, each for itself", () => {
    const shows = { a: "1x1 1x2", c: "1x1 1x2", b: "1x1 1x2", d: "1x1 1x2", e: "1x1" };
    const did = ["end c:1x1, end b:1x1", "end 1x1", "half d:1x2, end d:1x1", "end e:1x1"];
    expect(told({ shows, did })[0]).toBe("1x2 b:1x2 c:1x2");
  });

  test("when the last one was finished is told", () => {
    const episodes = episodesOf({ shows: { show: TWO }, did: ["end 1x1", "mark 1x2", "look 1x2"] });
    const [next] = nextEpisodes(episodes, NOW).proposed;
    expect(next).toEqual({ content_id: "1x3", last_watched_at: NOW - 999 * MINUTE });
  });

  test("the first release of any of them counts", () => {
    const story = { shows: { a: "1x1 1x2", b: "1x1 1x2" }, did: ["end 1x1, end b:1x1"] };
    expect(told({ ...story, later: { "1x2": 9, "b:1x2": 8 } })).toEqual(["", 8]);
  });
});

test("what is forgotten does not count", () => {
  const did = ["end 1x1", "end 1x2", "end 1x2", "forget 1x2"];
  expect(told({ shows: { show: TWO }, did })[0]).toBe("1x2");
  expect(told({ shows: { show: TWO }, did: [...did, "end 1x2"] })[0]).toBe("1x3");
  expect(told({ shows: { show: TWO }, did: [...did, "forget 1x1"] })[0]).toBe("");
});

describe("of any history", () => {
  const anyTime = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
  );
  const anyProgress = fc
    .record({
      playback_time: fc.constantFrom(0, 10, 1_200, 2_250, 2_400),
      position_at: anyTime,
      completed_at: anyTime,
      marked_at: anyTime,
      marked: fc.boolean(),
    })
    .map((its): Progress => {
      const marked = its.marked && its.marked_at > 0;
      const playback_time = its.position_at === 0 ? 0 : its.playback_time;
      return {
        ...{ content_id: "" as ContentId, catalog_id: null, duration: 2_400, credits_at: 2_200, live: false },
        ...{ dismissed_at: 0, watched_at: its.position_at, ...its, marked, playback_time },
      };
    });
  const anyEpisode = fc
    .record({
      show: fc.constantFrom("a", "b"),
      season: fc.integer({ min: 0, max: 2 }),
      episode: fc.integer({ min: 1, max: 4 }),
      variant: fc.constantFrom("", "b"),
      released_at: fc.constantFrom(null, 5, 10, 11, 14, 20),
      progress: fc.option(anyProgress),
      completions: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
    })
    .map(({ variant, ...its }): Episode => {
      const content_id = `${its.show}:${its.season}x${its.episode}${variant}` as ContentId;
      return { ...its, content_id, completions: its.progress ? its.completions : [] };
    });
  const anyHistory = fc.uniqueArray(anyEpisode, { maxLength: 16, selector: ({ content_id }) => content_id });
  const now = 10;

  const place = ({ season, episode }: Episode) => season * 100 + episode;
  const finish = ({ progress }: Episode) => (progress ? finishedAt(progress) : 0);

  test("what is proposed is released, no special, after what was finished last, and not in progress", () => {
    let proposals = 0;
    fc.assert(
      fc.property(anyHistory, (episodes) => {
        const { proposed } = nextEpisodes(episodes, now);
        proposals += proposed.length;
        for (const { content_id, last_watched_at } of proposed) {
          const next = episodes.find((its) => its.content_id === content_id) as Episode;
          const show = episodes.filter((its) => its.show === next.show);
          const regular = show.filter(({ season }) => season > 0);
          const number = regular.filter((its) => place(its) === place(next));
          expect(next.season).toBeGreaterThan(0);
          expect(next.released_at ?? 0).toBeLessThanOrEqual(now);
          expect(last_watched_at).toBe(Math.max(...regular.map(finish)));
          const last = Math.max(...regular.filter((its) => finish(its) === last_watched_at).map(place));
          expect(place(next)).toBeGreaterThan(last);
          expect(number.some(({ progress }) => progress !== null && resumeOf(progress) !== null)).toBe(false);
          const again = regular.filter((its) => place(its) === last);
          const watchedAgain = again.flatMap(({ completions }) => completions).length > 1;
          const isNew = number.every((its) => finish(its) === 0);
          expect(isNew || watchedAgain || again.some(({ progress }) => progress?.marked)).toBe(true);
        }
        expect(new Set(proposed.map(({ content_id }) => content_id.split(":")[0])).size).toBe(
          proposed.length,
        );
      }),
      { numRuns: 3_000 },
    );
    expect(proposals).toBeGreaterThan(500);
  });

  test("nothing changes before the time that is told, and the order in which they come does not matter", () => {
    let releases = 0;
    fc.assert(
      fc.property(anyHistory, fc.nat(), (episodes, seed) => {
        const { proposed, until } = nextEpisodes(episodes, now);
        const turned = [...episodes.slice(seed % 16), ...episodes.slice(0, seed % 16)];
        expect(nextEpisodes(turned, now)).toEqual({ proposed, until });
        expect(nextEpisodes(episodes, (until ?? 1_000) - 1).proposed).toEqual(proposed);
        if (until === null) return;
        releases++;
        expect(until).toBeGreaterThan(now);
      }),
      { numRuns: 3_000 },
    );
    expect(releases).toBeGreaterThan(100);
  });
});
