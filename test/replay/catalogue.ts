import { readFile } from "node:fs/promises";
import * as z from "zod";

/** Something to watch. */
export type Content = { content_id: string; catalog_id: string; title: string; duration: number };

/** The seasons in `test/data/football` (football.db by way of openfootball, CC0). */
const SEASONS = ["2024-25/en.1", "2024-25/es.1", "2024-25/de.1", "2024-25/uefa.cl", "2023-24/en.1"];
const FOLDER = new URL("../data/football/", import.meta.url);

const Season = z.object({
  matches: z.array(
    z.object({
      date: z.string(),
      team1: z.string(),
      team2: z.string(),
      score: z.object({ ft: z.tuple([z.number(), z.number()]).optional() }).optional(),
    }),
  ),
});

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
  const season = Season.parse(JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), "utf8")));
  const [year, league] = name.split("/");
  return season.matches.flatMap(({ date, team1, team2, score }) => {
    const catalog_id = `football:${league}`;
    const content_id = `${catalog_id}:${year}:${slug(team1)}-${slug(team2)}:${date}`;
    const title = `${team1} - ${team2}`;
    const goals = score?.ft ? score.ft[0] + score.ft[1] : 0;
    const clip = CLIP_SECONDS + goals * GOAL_SECONDS;
    return [
      { content_id, catalog_id, title, duration: MATCH_SECONDS },
      { content_id: `${content_id}:highlights`, catalog_id, title: `${title}, highlights`, duration: clip },
    ];
  });
}

/** `Deportivo Alavés` -> `deportivo-alaves`: only what an id may hold. */
function slug(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
