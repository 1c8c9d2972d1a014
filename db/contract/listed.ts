import type { ContentId } from "./ids.ts";
import type { Cursor } from "./pages.ts";
import { finishedAt, type Progress, resumeOf } from "./views.ts";
import type { WatchlistItem } from "./watchlist.ts";

/** What the stores know of an item of a watchlist. */
export type Listed = {
  content_id: ContentId;
  /** Epoch milliseconds. */
  added_at: number;
  title: string | null;
  thumbnail: string | null;
  /** null when it is not in the history. */
  progress: Progress | null;
};

export function watchlistItem({ content_id, added_at, title, thumbnail, progress }: Listed): WatchlistItem {
  return {
    ...{ content_id, added_at: new Date(added_at).toISOString(), title, thumbnail },
    playback_time: progress?.playback_time ?? null,
    duration: progress?.duration ?? null,
    resume_position_seconds: progress && resumeOf(progress),
    completed: progress !== null && finishedAt(progress) > 0,
    last_watched_at: progress && new Date(progress.watched_at).toISOString(),
  };
}

/** Where an item stands: what was added last comes first. */
export function placeOfListed({ added_at, content_id }: Pick<Listed, "added_at" | "content_id">): Cursor {
  return { watched_at: added_at, content_id };
}
