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
  completed: z.boolean().describe("It has been watched to the end, also while it is watched again"),
  last_watched_at: z.iso.datetime().describe("When the last event happened"),
});
export type HistoryItem = z.infer<typeof HistoryItem>;

/** What the stores know of an item that is not forgotten. Times are epoch milliseconds. */
export type Progress = {
  content_id: ContentId;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  position_at: number;
  /** The latest completion; 0 for none. */
  completed_at: number;
};

export function historyItem(progress: Progress): HistoryItem {
  const { content_id, catalog_id, playback_time, duration, position_at, completed_at } = progress;
  const ended = completed_at >= position_at;
  return {
    content_id,
    catalog_id,
    playback_time,
    duration,
    resume_position_seconds: ended ? null : resumePosition(playback_time, duration),
    completed: completed_at > 0 || isFinished(playback_time, duration),
    last_watched_at: new Date(position_at).toISOString(),
  };
}
