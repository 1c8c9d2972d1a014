import { readFile } from "node:fs/promises";
import * as z from "zod";
import { parseFixtures } from "../../commands/football.ts";
import type { ListedContent } from "../../db/contract/contents.ts";
import { channels, comingFixtures, madeUpShows, type Show } from "./shows.ts";

/** Something to watch, and what the catalogue is told of it: null for nothing. */
export type Content = {
  content_id: string;
  catalog_id: string;
  title: string;
  duration: number;
  listed: ListedContent | null;
};

/** All there is. */
export type Catalogue = {
  /** Fixtures and their highlights, in the order of the files; then a few channels. */
  matches: Content[];
  shows: Show[];
  /** Matches that nobody can watch yet. */
  coming: Content[];
};

/** The seasons in `test/data/football` (football.db by way of openfootball, CC0). */
const SEASONS = ["2024-25/en.1", "2024-25/es.1", "2024-25/de.1", "2024-25/uefa.cl", "2023-24/en.1"];
const FOLDER = new URL("../data/football/", import.meta.url);

const Score = z.object({ ft: z.tuple([z.number(), z.number()]).optional() }).optional();

const MATCH_SECONDS = 7_200;
/** Highlights of a goalless match are as short as a clip can be, which the resume rule must bear. */
const CLIP_SECONDS = 40;
const GOAL_SECONDS = 25;

export async function readCatalogue(): Promise<Catalogue> {
  const seasons = await Promise.all(SEASONS.map(readSeason));
  return { matches: [...seasons.flat(), ...channels()], shows: madeUpShows(), coming: comingFixtures() };
}

/** What the catalogue is told, by content. */
export function listedIn({ matches, shows, coming }: Catalogue): Map<string, ListedContent> {
  const all = [...matches, ...shows.flatMap(({ episodes }) => episodes), ...coming];
  return new Map(all.flatMap(({ content_id, listed }) => (listed ? [[content_id, listed]] : [])));
}

/** Every fixture as a whole match and as its highlights, of which the catalogue knows nothing. */
async function readSeason(name: string): Promise<Content[]> {
  const [season = "", league = ""] = name.split("/");
  const fixtures = parseFixtures(await readFile(new URL(`${name}.json`, FOLDER), "utf8"), { season, league });
  return (fixtures ?? []).flatMap(({ match, content: listed }): Content[] => {
    const { content_id } = listed;
    const catalog_id = `football:${league}`;
    const title = `${match.team1} - ${match.team2}`;
    const [home, away] = Score.parse(match.score)?.ft ?? [0, 0];
    const clip = CLIP_SECONDS + (home + away) * GOAL_SECONDS;
    const highlights = {
      content_id: `${content_id}:highlights`,
      title: `${title}, highlights`,
      duration: clip,
    };
    return [
      { content_id, catalog_id, title, duration: MATCH_SECONDS, listed },
      { catalog_id, ...highlights, listed: null },
    ];
  });
}
