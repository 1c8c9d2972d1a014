import * as z from "zod";
import { isFinished, resumePosition } from "../resume.ts";
import { ContentId } from "./ids.ts";

/** One item of a history, as a client gets it. */
export const HistoryItem = z.object({
  content_id: ContentId,
  catalog_id: z.string().nullable(),
  playback_time: z.number().describe("Seconds, as last reported"),
  duration: z.number().nullable().describe("Seconds; null when unknown"),
  resume_position_seconds: z.number().nullable().describe("Where to start; null for from the beginning"),
  completed: z
    .boolean()
    .describe("It was watched to the end or marked as watched, also while it is watched again"),
  last_watched_at: z.iso.datetime().describe("When it was last watched, or marked as watched"),
});
export type HistoryItem = z.infer<typeof HistoryItem>;

/** What a history record adds to an item: how it is shown, and by what it is found. */
export const RecordView = z.object({
  title: z.string().nullable(),
  thumbnail: z.string().nullable(),
  sport: z.string().nullable(),
  series: z.string().nullable().describe("A competition, with its season"),
  teams: z.array(z.string()),
  show: z.string().nullable(),
  season: z.number().nullable().describe("0 for specials"),
  episode: z.number().nullable(),
});
export type RecordView = z.infer<typeof RecordView>;

/** One item of a list that was narrowed by dimension. */
export const NarrowedItem = z.object({ ...HistoryItem.shape, ...RecordView.shape });
export type NarrowedItem = z.infer<typeof NarrowedItem>;

/** How many items of a history have a value of a dimension. */
export const Facet = z.object({ value: z.string(), count: z.number().int() });
export type Facet = z.infer<typeof Facet>;

/** The settings of a history. */
export const HistorySettings = z.object({
  paused: z.boolean().describe("While it is, nothing is kept of what happens"),
  paused_since: z.iso.datetime().nullable(),
});
export type HistorySettings = z.infer<typeof HistorySettings>;

/** What the stores know of an item that is not forgotten. Times are epoch milliseconds. */
export type Progress = {
  content_id: ContentId;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  /** When it was last watched or marked as watched. */
  watched_at: number;
  /** When it was last watched; 0 for never. */
  position_at: number;
  /** The latest completion; 0 for none. */
  completed_at: number;
  /** The last mark, and what it says; 0 for none. */
  marked_at: number;
  marked: boolean;
  /** The last dismissal that stands; 0 for none. */
  dismissed_at: number;
  /** Seconds; null when the catalogue does not say. */
  credits_at: number | null;
  live: boolean;
};

/** An item with its record; null when the catalogue knows nothing of it. */
export type Narrowed = { progress: Progress; record: RecordView | null };

const UNKNOWN: RecordView = {
  ...{ title: null, thumbnail: null },
  ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
};

/**
 * Where to start it, in seconds, or null for "from the beginning": the resume rule, but for what is over. A completion
 * and a mark of any kind end what was watched up to them.
 */
export function resumeOf(progress: Progress): number | null {
  const { position_at, completed_at, marked_at } = progress;
  return Math.max(completed_at, marked_at) >= position_at ? null : resumePosition(progress);
}

/** When it was last finished, or marked as watched; 0 when it never was, or all of that was before it was unmarked. */
export function finishedAt(progress: Progress): number {
  const { position_at, completed_at, marked_at, marked } = progress;
  const finished = Math.max(completed_at, isFinished(progress) ? position_at : 0);
  if (marked) return Math.max(finished, marked_at);
  return finished > marked_at ? finished : 0;
}

export function historyItem(progress: Progress): HistoryItem {
  const { content_id, catalog_id, playback_time, duration, watched_at } = progress;
  return {
    content_id,
    catalog_id,
    playback_time,
    duration,
    resume_position_seconds: resumeOf(progress),
    completed: finishedAt(progress) > 0,
    last_watched_at: new Date(watched_at).toISOString(),
  };
}

export function narrowedItem({ progress, record }: Narrowed): NarrowedItem {
  return { ...historyItem(progress), ...(record ?? UNKNOWN) };
}

/** Most frequent first, then by value. */
export function facetsInOrder(counts: Iterable<readonly [value: string, count: number]>): Facet[] {
  return Array.from(counts, ([value, count]) => ({ value, count })).sort(
    (a, b) => b.count - a.count || (a.value < b.value ? -1 : 1),
  );
}
