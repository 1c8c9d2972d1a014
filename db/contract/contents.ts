import * as z from "zod";
import { ContentId } from "./ids.ts";
import { text } from "./text.ts";

export const KINDS = ["movie", "episode", "match", "clip", "live"] as const;

/** Three years: more is a unit mistake. */
const Seconds = z.number().min(0).max(1e8);

/** Films are older than 1970, so it may be negative; a year has four digits, as every client can read. */
const ReleaseTime = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], {
    error: "an ISO 8601 time with its offset, or epoch milliseconds",
  })
  .pipe(z.number().min(-62_167_219_200_000).max(253_402_300_799_999).transform(Math.floor));

/** A value of a dimension. It is compared exactly: case, spaces, accents and all. */
export const DimensionValue = text(128);
export const SeasonNumber = z.number().int().min(0).max(1_000_000);

const fields = {
  kind: z.enum(KINDS).nullable().default(null),
  title: text(500).nullable().default(null),
  thumbnail: text(2_000).nullable().default(null),
  duration: Seconds.nullable().default(null).describe("Seconds; null when unknown"),
  sport: DimensionValue.nullable().default(null),
  series: DimensionValue.nullable().default(null).describe("A competition, with its season"),
  teams: z
    .array(DimensionValue)
    .max(50)
    .default([])
    .transform((teams) => [...new Set(teams)]),
  show: DimensionValue.nullable().default(null),
  season: SeasonNumber.nullable().default(null).describe("0 for specials"),
  episode: SeasonNumber.nullable().default(null),
  credits_at: Seconds.nullable().default(null).describe("Seconds; where only the credits are left"),
  released_at: ReleaseTime.nullable().default(null),
};

/** A content as `PUT /contents/:content_id` takes it; what is left out is unknown. */
export const ContentInput = z.strictObject(fields);
/** A content as `POST /contents` takes it, one of many. */
export const ListedContentInput = z.strictObject({ content_id: ContentId, ...fields });

/** What the catalogue says of a content, but for which one it is. Times are epoch milliseconds. */
export type ContentFacts = z.infer<typeof ContentInput>;
/** What the catalogue says of one content. */
export type ListedContent = z.infer<typeof ListedContentInput>;

/** A content of the catalogue. */
export type Content = ContentFacts & {
  content_id: ContentId;
  /** The version: +1 at every change. */
  rev: number;
  /** It was taken out of the catalogue: nothing is known of it any more, but that. */
  removed: boolean;
};

/** What a path names. Checked as an object, so that a fault says which part of the path is wrong. */
export const ContentPath = z.object({ content_id: ContentId });

/** A content as a client gets it. */
export const ContentView = z.object({
  content_id: ContentId,
  kind: z.enum(KINDS).nullable(),
  title: z.string().nullable(),
  thumbnail: z.string().nullable(),
  duration: Seconds.nullable().describe("Seconds; null when unknown"),
  sport: z.string().nullable(),
  series: z.string().nullable().describe("A competition, with its season"),
  teams: z.array(z.string()),
  show: z.string().nullable(),
  season: SeasonNumber.nullable().describe("0 for specials"),
  episode: SeasonNumber.nullable(),
  credits_at: Seconds.nullable().describe("Seconds; where only the credits are left"),
  released_at: z.iso.datetime().nullable(),
});
export type ContentView = z.infer<typeof ContentView>;

export function contentView({ released_at, ...its }: ListedContent): ContentView {
  return { ...its, released_at: released_at === null ? null : new Date(released_at).toISOString() };
}
