import * as z from "zod";
import { DimensionValue } from "./contents.ts";
import { ContentId } from "./ids.ts";
import { Refusal } from "./refusals.ts";

/** By what a history is narrowed and counted, besides by asset. */
export const DIMENSIONS = ["sport", "series", "team", "show", "season"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const MAX_ASSETS = 100;
const MAX_TEAMS = 50;

/** The narrowing part of a query string. */
export const filterParameters = {
  asset_id: z.array(ContentId).max(MAX_ASSETS).default([]),
  sport: DimensionValue.nullable().default(null),
  series: DimensionValue.nullable().default(null),
  team: z.array(DimensionValue).max(MAX_TEAMS).default([]),
  team_match: z.enum(["any", "all"]).nullable().default(null),
  show: DimensionValue.nullable().default(null),
  /** The same number is the same season, however it is written. */
  season: z
    .string()
    .regex(/^\d{1,7}$/, "a whole number")
    .transform(Number)
    .nullable()
    .default(null),
};

/** Parameters that may be given again and again. */
export const REPEATABLE: readonly string[] = ["asset_id", "team"];

/** Which items of a history are wanted: those that fulfil everything that is given. */
export type HistoryFilter = Omit<Parameters, "team_match"> & { team_match: "any" | "all" };

type Parameters = z.infer<z.ZodObject<typeof filterParameters>>;

/** The filter, or null when nothing is narrowed. @throws Refusal `invalid_input` for a way to match no team */
export function filterOf(given: Parameters): HistoryFilter | null {
  const { asset_id, sport, series, team, show, season } = given;
  const team_match = given.team_match ?? "any";
  if (given.team_match !== null && team.length === 0) {
    const errors = [{ path: "team_match", message: "goes with team" }];
    throw new Refusal("invalid_input", "team_match: goes with team", { errors });
  }
  const narrowing = [...asset_id, ...team, sport, series, show, season];
  if (narrowing.every((value) => value === null)) return null;
  return {
    asset_id: [...new Set(asset_id)],
    sport,
    series,
    team: [...new Set(team)],
    team_match,
    show,
    season,
  };
}

/** What of an item dimensions are about; null and [] are unknown. */
export type Dimensions = {
  sport: string | null;
  series: string | null;
  teams: string[];
  show: string | null;
  season: number | null;
};

/** The values of an item in a dimension. */
export function valuesIn(dimension: Dimension, item: Dimensions): string[] {
  if (dimension === "team") return item.teams;
  const value = item[dimension];
  return value === null ? [] : [String(value)];
}

/**
 * The filter as alternatives, all of which must be fulfilled: an item fulfils one when it has any of its values in
 * its dimension. Assets are not among them: they are known by their ids.
 */
export function alternativesOf(filter: HistoryFilter): Alternative[] {
  const { team, team_match } = filter;
  const given = (["sport", "series", "show", "season"] as const).flatMap((dimension): Alternative[] => {
    const value = filter[dimension];
    return value === null ? [] : [{ dimension, anyOf: [String(value)] }];
  });
  if (team.length === 0) return given;
  if (team_match === "any") return [...given, { dimension: "team", anyOf: team }];
  return [...given, ...team.map((name): Alternative => ({ dimension: "team", anyOf: [name] }))];
}

export type Alternative = { dimension: Dimension; anyOf: string[] };
