import { describe, expect, test } from "vitest";
import type { ContentId } from "../../db/contract/ids.ts";
import { watchlistItem } from "../../db/contract/listed.ts";
import { listRequest } from "../../db/contract/pages.ts";
import { Profile, ProfileInput } from "../../db/contract/profiles.ts";
import { ratingItem } from "../../db/contract/rated.ts";
import {
  ContentRatings,
  contentRatings,
  RatingInput,
  RatingItem,
  type Reviewed,
} from "../../db/contract/ratings.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import { reviewsRequest } from "../../db/contract/reviews.ts";
import { WatchlistInput, WatchlistItem } from "../../db/contract/watchlist.ts";
import { packProfile, packRatings, packWatchlist } from "../../db/redis/profile-records.ts";
import { watchedItem } from "../../db/redis/records.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const AT = Date.UTC(2026, 0, 31);
const film = "film" as ContentId;

/** The paths of what is wrong. */
function faults(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "invalid_input") throw error;
    return error.extra.errors?.map(({ path }) => path) ?? [];
  }
}
const nested = (depth: number): object => (depth === 1 ? {} : { in: nested(depth - 1) });

describe("a profile", () => {
  test("is a name, and what is left out is nothing", () => {
    expect(checked(ProfileInput, { name: "Alice" })).toEqual({
      name: "Alice",
      avatar: null,
      preferences: {},
    });
    const whole = {
      name: "A".repeat(100),
      avatar: "https://a.example/x.png",
      preferences: { a: [1, null, "b"] },
    };
    expect(checked(ProfileInput, whole)).toEqual(whole);
    expect(checked(ProfileInput, { name: "👩‍🚀".repeat(10) }).name).toBe("👩‍🚀".repeat(10));
  });

  test.each([
    ["name", {}],
    ["name", { name: "" }],
    ["name", { name: "A".repeat(101) }],
    ["name", { name: "a\0b" }],
    ["name", { name: "\ud800" }],
    ["name", { name: 7 }],
    ["avatar", { name: "A", avatar: "javascript:alert(1)" }],
    ["avatar", { name: "A", avatar: "data:image/png;base64,AA" }],
    ["avatar", { name: "A", avatar: "//a.example/x.png" }],
    ["avatar", { name: "A", avatar: "http://a.example/\0" }],
    ["avatar", { name: "A", avatar: `https://a.example/${"x".repeat(2_000)}` }],
    ["avatar", { name: "A", avatar: "" }],
    ["preferences", { name: "A", preferences: [] }],
    ["preferences", { name: "A", preferences: null }],
    ["preferences", { name: "A", preferences: "x" }],
    ["preferences", { name: "A", preferences: { a: { b: "\0" } } }],
    ["preferences", { name: "A", preferences: { "\ud800": 1 } }],
    ["preferences", { name: "A", preferences: JSON.parse('{"a":1e400}') }],
    ["preferences", { name: "A", preferences: nested(9) }],
    ["preferences", { name: "A", preferences: { a: "x".repeat(16_384) } }],
    ["user_id", { name: "A", user_id: "bob" }],
  ])("is refused with the path of what is wrong: %s in %j", (path, input) => {
    expect(faults(() => checked(ProfileInput, input))).toEqual([path]);
  });

  test("has preferences up to a bound that is what it says", () => {
    const { length } = JSON.stringify({ a: "" });
    const fits = { name: "A", preferences: { a: "x".repeat(16_384 - length) } };
    expect(faults(() => checked(ProfileInput, fits))).toEqual([]);
    expect(faults(() => checked(ProfileInput, { name: "A", preferences: nested(8) }))).toEqual([]);
    const wide = { name: "A", preferences: { a: "é".repeat((16_384 - length) / 2 + 1) } };
    expect(faults(() => checked(ProfileInput, wide))).toEqual(["preferences"]);
  });

  test("whose preferences are deeper than any stack is refused, too", () => {
    const deep = JSON.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(faults(() => checked(ProfileInput, { name: "A", preferences: deep }))).toEqual(["preferences"]);
  });
});

describe("a rating", () => {
  test.each([
    ["content_id", { rating: 5 }],
    ["content_id", { content_id: "a b", rating: 5 }],
    ["rating", { content_id: "a" }],
    ["rating", { content_id: "a", rating: 0 }],
    ["rating", { content_id: "a", rating: 11 }],
    ["rating", { content_id: "a", rating: 5.5 }],
    ["rating", { content_id: "a", rating: "5" }],
    ["review", { content_id: "a", rating: 5, review: "" }],
    ["review", { content_id: "a", rating: 5, review: "x".repeat(5_001) }],
    ["stars", { content_id: "a", rating: 5, stars: 1 }],
  ])("is refused with the path of what is wrong: %s in %j", (path, input) => {
    expect(faults(() => checked(RatingInput, input))).toEqual([path]);
  });

  test("may have a review of 5,000 characters, or none", () => {
    const review = "😀".repeat(5_000);
    expect(checked(RatingInput, { content_id: "a", rating: 10, review })).toMatchObject({
      rating: 10,
      review,
    });
    expect(checked(RatingInput, { content_id: "a", rating: 1 })).toMatchObject({ rating: 1, review: null });
  });

  test("is shown as it was given", () => {
    const shown = ratingItem({ content_id: film, rating: 7, review: null, rated_at: AT });
    expect(RatingItem.strict().parse(shown)).toEqual({
      ...{ content_id: film, rating: 7, review: null, rated_at: "2026-01-31T00:00:00.000Z" },
    });
  });
});

test("a watchlist takes content ids, and nothing else", () => {
  expect(faults(() => checked(WatchlistInput, {}))).toEqual(["content_id"]);
  expect(faults(() => checked(WatchlistInput, { content_id: ".." }))).toEqual(["content_id"]);
  expect(faults(() => checked(WatchlistInput, { content_id: "a", title: "A" }))).toEqual(["title"]);
});

test("an item of a watchlist says how far its viewer came, or that it was not watched", () => {
  const listed = { content_id: film, added_at: AT, title: "Film", thumbnail: null };
  expect(WatchlistItem.strict().parse(watchlistItem({ ...listed, progress: null }))).toEqual({
    ...{ content_id: film, added_at: "2026-01-31T00:00:00.000Z", title: "Film", thumbnail: null },
    ...{ playback_time: null, duration: null, resume_position_seconds: null, completed: false },
    last_watched_at: null,
  });
  const progress = watchedItem(historyRow("alice", film), contentOf(film, { credits_at: 1_000 }));
  expect(WatchlistItem.strict().parse(watchlistItem({ ...listed, progress }))).toMatchObject({
    ...{ playback_time: 1_800, duration: 5_400, resume_position_seconds: null, completed: true },
    last_watched_at: "2026-01-01T00:00:00.000Z",
  });
});

describe("the query string", () => {
  test.each([
    ["limit", { limit: ["0"] }],
    ["limit", { limit: ["201"] }],
    ["limit", { limit: ["5", "6"] }],
    ["cursor", { cursor: ["x"] }],
    ["sport", { sport: ["cricket"] }],
    ["curser", { curser: ["1_a"] }],
  ])("of a list: %s is refused in %j", (path, query) => {
    expect(faults(() => listRequest(query))).toEqual([path]);
  });

  test.each([
    ["limit", { limit: ["101"] }],
    ["cursor", { cursor: ["1_alice"] }],
    ["cursor", { cursor: [""] }],
    ["sort", { sort: ["best"] }],
  ])("of reviews: %s is refused in %j", (path, query) => {
    expect(faults(() => reviewsRequest(query))).toEqual([path]);
  });

  test("says what is wanted", () => {
    expect(listRequest({})).toEqual({ limit: 50, after: null });
    expect(listRequest({ limit: ["2"], cursor: ["12_a_b"] })).toEqual({
      ...{ limit: 2, after: { watched_at: 12, content_id: "a_b" } },
    });
    expect(reviewsRequest({})).toEqual({ limit: 20, after: null });
    expect(reviewsRequest({ cursor: ["12_3"] })).toEqual({ limit: 20, after: { rated_at: 12, told: 3 } });
  });
});

describe("the ratings of a content", () => {
  const reviewed = (rated_at: number): Reviewed => ({
    ...{ rating: 5, review: `${rated_at}`, rated_at, name: null, avatar: null },
  });
  const show = (counts: Record<string, number>, found: Reviewed[], limit = 2, cursor?: string) =>
    contentRatings(
      film,
      { counts: new Map(Object.entries(counts)), found },
      {
        request: reviewsRequest({ limit: [`${limit}`], ...(cursor ? { cursor: [cursor] } : {}) }),
        path: "/p",
      },
    );

  test("are counted, with their mean", () => {
    const { body } = show({ "rating:1": 1, "rating:10": 3, plays: 9 }, [reviewed(AT)]);
    expect(ContentRatings.strict().parse(body)).toMatchObject({
      ...{ count: 4, mean: 7.75, distribution: [1, 0, 0, 0, 0, 0, 0, 0, 0, 3] },
    });
  });

  test("have no mean before the first", () => {
    expect(show({}, []).body).toMatchObject({
      count: 0,
      mean: null,
      distribution: Array(10).fill(0),
      reviews: [],
    });
  });

  test("lead on to further reviews by how many of an instant were told", () => {
    expect(show({}, [reviewed(9), reviewed(8)]).headers).toEqual({});
    const next = (...its: Parameters<typeof show>) => show(...its).headers.link;
    expect(next({}, [reviewed(9), reviewed(8), reviewed(8)])).toBe('</p?limit=2&cursor=8_1>; rel="next"');
    expect(next({}, [reviewed(8), reviewed(8), reviewed(8)])).toBe('</p?limit=2&cursor=8_2>; rel="next"');
    const more = [reviewed(8), reviewed(8), reviewed(7)];
    expect(next({}, more, 2, "8_2")).toBe('</p?limit=2&cursor=8_4>; rel="next"');
    expect(next({}, [reviewed(8), reviewed(7), reviewed(6)], 2, "8_2")).toBe(
      '</p?limit=2&cursor=7_1>; rel="next"',
    );
  });
});

test("views are packed as flat fields", () => {
  const profile = Profile.parse({
    ...{ user_id: "alice", name: "Alice", avatar: null, preferences: { a: 1 } },
    updated_at: "2026-01-31T00:00:00.000Z",
  });
  expect(packProfile(profile)).toEqual(["body", JSON.stringify(profile)]);
  expect(packProfile(null)).toEqual(["body", ""]);
  const listed = { content_id: "rev" as ContentId, added_at: 5, title: null, thumbnail: "t" };
  expect(packWatchlist([listed], "m")).toEqual(["order", "5_rev", "made", "m", ":rev", '[null,"t"]']);
  const rated = { content_id: film, rating: 3, review: "so", rated_at: 6 };
  expect(packRatings([rated, { ...rated, content_id: "b" as ContentId }], true)).toEqual([
    ...["order", "6_film 6_b", "whole", 1, ":film", '[3,"so"]', ":b", '[3,"so"]'],
  ]);
});
