import type { ListedContent } from "../../db/contract/contents.ts";
import { ContentId } from "../../db/contract/ids.ts";
import type { Content } from "./catalogue.ts";

/** A show: its episodes in their order, then what has no number. */
export type Show = { name: string; episodes: Content[] };

const LONG_AGO = Date.UTC(2020, 0, 1);
/** Nobody who replays will see it released. */
const FAR_AHEAD = Date.UTC(2190, 0, 1);
const DAY = 86_400_000;

/** Shows that are made up: episodes are short, so that viewers get on within an hour. */
export function madeUpShows(): Show[] {
  return [
    // Three whole seasons and specials; the catalogue knows where the credits begin.
    showOf("The Long Way", [
      ...season(1, [1, 2, 3, 4, 5, 6], { credits: 0.85 }),
      ...season(2, [1, 2, 3, 4, 5, 6], { credits: 0.85 }),
      ...season(3, [1, 2, 3, 4], { credits: 0.85 }),
      ...season(0, [1, 2]),
    ]),
    // Numbers are missing, a whole season is, and one episode has none.
    showOf("Gaps & Holes", [
      ...season(1, [1, 2, 4, 5, 9]),
      ...season(3, [2, 3]),
      { season: 3, episode: null, its: {} },
    ]),
    // What is not released is in the middle, and a whole season at the end.
    showOf("Coming Soon", [
      ...season(1, [1, 2, 3]),
      ...season(1, [4], { released_at: FAR_AHEAD }),
      ...season(1, [5, 6]),
      ...season(2, [1, 2], { released_at: FAR_AHEAD }),
    ]),
    // Clips of 40 seconds, of which the catalogue knows neither the length nor the release.
    showOf("Blinks", season(1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { seconds: 40, vague: true })),
  ];
}

/** Matches that are still to come, of teams in the fixtures. Some are of two of them, and one is on the same day. */
export function comingFixtures(): Content[] {
  const pairs: [home: string, away: string, day: number][] = [
    ["Arsenal FC", "Chelsea FC", 3],
    ["Chelsea FC", "Liverpool FC", 1],
    ["Liverpool FC", "Arsenal FC", 9],
    ["Real Madrid CF", "FC Barcelona", 2],
    ["Valencia CF", "Sevilla FC", 2],
    ["Borussia Dortmund", "FC Bayern München", 5],
    ["Manchester United FC", "Manchester City FC", 4],
    ["Manchester City FC", "Aston Villa FC", 6],
    ["Tottenham Hotspur FC", "Everton FC", 1],
  ];
  return pairs.map(([home, away, day], n) =>
    contentOf(`made-up:fixture:${n + 1}`, {
      kind: "match",
      title: `${home} - ${away}`,
      duration: 7_200,
      sport: "football",
      series: "Made-up Cup",
      teams: [home, away],
      released_at: FAR_AHEAD + day * DAY,
    }),
  );
}

/** Channels: nobody resumes them. */
export function channels(): Content[] {
  return ["One", "Two"].map((name) =>
    contentOf(`made-up:channel:${name.toLowerCase()}`, {
      kind: "live",
      title: `Channel ${name}`,
      duration: 3_600,
    }),
  );
}

type Numbered = {
  season: number;
  episode: number | null;
  its: { credits?: number; released_at?: number; seconds?: number; vague?: boolean };
};

function season(season: number, episodes: readonly number[], its: Numbered["its"] = {}): Numbered[] {
  return episodes.map((episode) => ({ season, episode, its }));
}

function showOf(name: string, numbered: readonly Numbered[]): Show {
  const id = name.toLowerCase().replace(/[^a-z]+/g, "-");
  const episodes = numbered.map(({ season, episode, its }, n) => {
    const seconds = its.seconds ?? 90 + ((n * 37) % 120);
    const known = {
      kind: "episode",
      title: `${name}, ${season}.${episode ?? "?"}`,
      thumbnail: `https://images.example/${id}/${n}.jpg`,
      duration: its.vague ? null : seconds,
      ...{ show: name, season, episode },
      credits_at: its.credits === undefined ? null : Math.round(seconds * its.credits),
      released_at: its.vague ? null : (its.released_at ?? LONG_AGO + n * DAY),
    } as const;
    return { ...contentOf(`made-up:${id}:${season}:${episode ?? `x${n}`}`, known), duration: seconds };
  });
  return { name, episodes };
}

function contentOf(id: string, its: Partial<ListedContent>): Content {
  const content_id = ContentId.parse(id);
  const listed: ListedContent = {
    ...{ kind: null, title: null, thumbnail: null, duration: null },
    ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
    ...{ credits_at: null, released_at: null },
    ...its,
    content_id,
  };
  return {
    content_id,
    catalog_id: "made-up",
    title: listed.title ?? id,
    duration: listed.duration ?? 0,
    listed,
  };
}
