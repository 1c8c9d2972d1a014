import { readFile } from "node:fs/promises";
import * as z from "zod";
import { parseFixtures } from "../../commands/football.ts";

/** Something to watch. */
export type Content = { content_id: string; catalog_id: string; title: string; duration: number };

/** The seasons in `test/data/football` (football.db by way of openfootball, CC0). */
const SEASONS = ["2024-25/en.1", "2024-25/es.1", "2024-25/de.1", "2024-25/uefa.cl", "2023-24/en.1"];
const FOLDER = new URL("../data/football/", import.meta.url);

const Score = z.object({ ft: z.tuple([z.number(), z.number()]).optional() }).optional();

const MATCH_SECONDS = 7_200;
/** Highlights of a goalless match are as short as a clip can be, which the resume rule must bear. */
const CLIP_SECONDS = 40;
const GOAL_SECONDS = 25;

/** Every fixture as a whole match and as its highlights, in the order of the files. */
export async function readCatalogue(): Promise<Content[]> {
  const seasons = await Promise.all(SEASONS.map(readSeason));
  return seasons.flat();
}

async function readSeason(name: string): Promise<Content[]> {
  const [season = "", league = ""] = name.split("/");
  const fixtures = parseFixtures(await readFile(new URL(`${name}.json`, FOLDER), "utf8"), { season, league });
  return (fixtures ?? []).flatMap(({ match, content: { content_id } }) => {
    const catalog_id = `football:${league}`;
    const title = `${match.team1} - ${match.team2}`;
    const [home, away] = Score.parse(match.score)?.ft ?? [0, 0];
    const clip = CLIP_SECONDS + (home + away) * GOAL_SECONDS;
    return [
      { content_id, catalog_id, title, duration: MATCH_SECONDS },
      { content_id: `${content_id}:highlights`, catalog_id, title: `${title}, highlights`, duration: clip },
    ];
  });
}
