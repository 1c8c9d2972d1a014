import type { Content } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { oneOf, randomFrom, rankBelow } from "../random.ts";

const SPORTS = 8;
const SERIES_A_SPORT = 10;
const MATCHES_A_SERIES = 32;
const TEAMS_A_SPORT = 20;
const SHOWS = 200;
const SEASONS = 3;
const EPISODES = 4;

/** About 5,000 contents, half of them matches and half of them episodes, the same every time. */
export function makeCatalogue(): Catalogue {
  const series = numbers(SPORTS).map((sport) => numbers(SERIES_A_SPORT).map((of) => matchesOf(sport, of)));
  const shows = numbers(SHOWS).map(episodesOf);
  const contents = [...series.flat(2), ...shows.flat()];
  return { series, shows, contents, byId: new Map(contents.map((its) => [its.content_id, its])) };
}

/**
 * What a viewer watched, first to last: as many matches as episodes, and of sports, series and shows the more popular
 * ones more often, so that some of their values are in very many records.
 */
export function watchedBy(seed: number, items: number, { series, shows }: Catalogue): Content[] {
  const random = randomFrom(seed);
  const seen = new Set<Content>();
  while (seen.size < items / 2) seen.add(oneOf(popular(popular(series, random), random), random));
  while (seen.size < items) seen.add(oneOf(popular(shows, random), random));
  return [...seen]
    .map((content) => ({ content, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ content }) => content);
}

const RANKS = new Map([SPORTS, SERIES_A_SPORT, SHOWS].map((count) => [count, rankBelow(count)]));

function popular<T>(items: readonly T[], random: () => number): T {
  const rank = RANKS.get(items.length)?.(random) ?? 0;
  const item = items[rank];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}

function matchesOf(sport: number, series: number): Content[] {
  return numbers(MATCHES_A_SERIES).map((match) => {
    const home = (match + series) % TEAMS_A_SPORT;
    const away = (home + 1 + (match % (TEAMS_A_SPORT - 1))) % TEAMS_A_SPORT;
    const teams = [home, away].map((team) => `Team ${sport + 1}-${team + 1}`);
    return contentOf(`match-${sport}-${series}-${match}`, {
      ...{ kind: "match", title: `${teams.join(" - ")}, round ${match + 1}` },
      ...{ sport: `Sport ${sport + 1}`, series: `League ${series + 1} of sport ${sport + 1}, 2026`, teams },
    });
  });
}

function episodesOf(show: number): Content[] {
  return numbers(SEASONS * EPISODES).map((nth) => {
    const [season, episode] = [Math.floor(nth / EPISODES) + 1, (nth % EPISODES) + 1];
    return contentOf(`episode-${show}-${nth}`, {
      ...{ kind: "episode", title: `Show ${show + 1}, episode ${season}.${episode}` },
      ...{ show: `Show ${show + 1}`, season, episode },
    });
  });
}

function contentOf(content_id: string, its: Partial<Content>): Content {
  return {
    content_id: content_id as ContentId,
    ...{ kind: null, title: null, duration: 5_400, credits_at: 5_300, released_at: null },
    thumbnail: `https://images.example/thumbnails/2026/${content_id}/640x360.jpg`,
    ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
    ...{ rev: 1, removed: false },
    ...its,
  };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

export type Catalogue = {
  /** Matches by sport and series. */
  series: readonly (readonly (readonly Content[])[])[];
  /** Episodes by show. */
  shows: readonly (readonly Content[])[];
  contents: readonly Content[];
  byId: Map<ContentId, Content>;
};
