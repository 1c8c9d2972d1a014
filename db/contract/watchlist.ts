import * as z from "zod";
import { ContentId } from "./ids.ts";

/** Items of a watchlist at most. */
export const WATCHLIST_MAX = 1_000;

/** An item as it is put on a watchlist. */
export const WatchlistInput = z.strictObject({ content_id: ContentId });

/** One item of a watchlist, as a client gets it; how far the viewer came is as the history has it. */
export const WatchlistItem = z.object({
  content_id: ContentId,
  added_at: z.iso.datetime(),
  title: z.string().nullable(),
  thumbnail: z.string().nullable(),
  playback_time: z.number().nullable().describe("Seconds, as last reported; null when it was not watched"),
  duration: z.number().nullable().describe("Seconds; null when unknown, or it was not watched"),
  resume_position_seconds: z.number().nullable().describe("Where to start; null for from the beginning"),
  completed: z.boolean().describe("It was watched to the end or marked as watched"),
  last_watched_at: z.iso.datetime().nullable().describe("null when it was not watched, or that is forgotten"),
});
export type WatchlistItem = z.infer<typeof WatchlistItem>;
