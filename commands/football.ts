import * as z from "zod";
import { type ListedContent, ListedContentInput } from "../db/contract/contents.ts";
import { checked } from "../db/contract/refusals.ts";

const MATCH_SECONDS = 7_200;

const Match = z.object({
  date: z.iso.date(),
  time: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time like 18:45")
    .nullish(),
  team1: z.string(),
  team2: z.string(),
  /** Goals are no part of the catalogue; whoever needs them looks for himself. */
  score: z.unknown().optional(),
});
const Fixtures = z.object({ name: z.string(), matches: z.array(Match) });
const LooksLikeFixtures = z.object({ name: z.string(), matches: z.array(z.unknown()) });

/** A match as football.json has it, and what the catalogue says of it. */
export type Fixture = { match: z.infer<typeof Match>; content: ListedContent };

/**
 * The matches of a file of football.json (openfootball), or null when it is no such file. Its folder is the season and
 * its name the league; both are part of the ids, so that they are the same at every import.
 *
 * Kickoffs have no zone there: they are taken as UTC, and as midnight where no time is known.
 *
 * @throws Refusal that names the match that cannot be one.
 */
export function parseFixtures(text: string, { season, league }: { season: string; league: string }) {
  const json = jsonOf(text);
  if (!LooksLikeFixtures.safeParse(json).success) return null;
  const { name, matches } = checked(Fixtures, json);
  return matches.map((match, index): Fixture => {
    const { date, time, team1, team2 } = match;
    const teams = `${slug(team1)}-${slug(team2)}`;
    const content = {
      content_id: `football:${idPart(league)}:${idPart(season)}:${teams}:${date}`,
      kind: "match",
      title: `${team1} - ${team2}`,
      duration: MATCH_SECONDS,
      sport: "football",
      series: name,
      teams: [team1, team2],
      released_at: `${date}T${time ?? "00:00"}:00Z`,
    };
    return { match, content: checked(ListedContentInput, content, ["matches", index]) };
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `Deportivo Alavés` -> `deportivo-alaves`: only what an id may hold. A name of other letters is written in hex. */
function slug(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return plain || Buffer.from(name).toString("hex").slice(0, 32);
}

/** `en.1`, `2024-25`: as it is, but for what no id may hold. */
function idPart(name: string): string {
  return name.replace(/[^A-Za-z0-9._~-]+/g, "-");
}
