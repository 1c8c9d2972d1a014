import type { ContentId } from "../contract/ids.ts";
import type { Progress } from "../contract/views.ts";
import type { HistoryRow } from "../rows.ts";

/**
 * Progress, packed. The scripts read the two revs at its head. A forgotten item is `[rev]` alone.
 */
type Packed = [
  rev: number,
  contentRev: number,
  position_at: number,
  playback_time: number,
  duration: number | null,
  completed_at: number,
  catalog_id: string | null,
];

export function packProgress(row: HistoryRow): string {
  const { rev, content_rev, position_at, playback_time, duration, completed_at, catalog_id } = row;
  return JSON.stringify(
    position_at === 0
      ? [rev]
      : [rev, content_rev, position_at, playback_time, duration, completed_at, catalog_id],
  );
}

/** The progress of an item that is shown; what Redis holds is ours and is trusted. */
export function unpackProgress(content_id: string, packed: string): Progress {
  const [, , position_at, playback_time, duration, completed_at, catalog_id] = JSON.parse(packed) as Packed;
  return {
    content_id: content_id as ContentId,
    catalog_id,
    playback_time,
    duration,
    position_at,
    completed_at,
  };
}

/** The history record: what changes rarely, as alternating fields and values of a hash. */
export function packRecord(row: HistoryRow): string {
  const fields = ["user", row.user_id, "content", row.content_id];
  if (row.title !== null) fields.push("title", row.title);
  if (row.thumbnail !== null) fields.push("thumbnail", row.thumbnail);
  return JSON.stringify(fields);
}
