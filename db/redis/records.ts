import type { ContentId } from "../contract/ids.ts";
import type { Progress } from "../contract/views.ts";
import type { HistoryRow } from "../rows.ts";

/**
 * Progress, packed. The scripts read the two revs and the time at its head. A forgotten item is `[rev]` alone.
 */
export type Packed = [
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
export function unpackProgress(content_id: ContentId, packed: string): Progress {
  return progressOf(content_id, JSON.parse(packed) as Packed);
}

export function progressOf(content_id: ContentId, packed: Packed): Progress {
  const [, , position_at, playback_time, duration, completed_at, catalog_id] = packed;
  return { content_id, catalog_id, playback_time, duration, position_at, completed_at };
}

/**
 * What the catalogue adds to a history record, as alternating fields and values of a hash, packed; "" when it knows
 * nothing. The script adds whose record it is and of which content.
 */
export function packCatalogue(row: HistoryRow): string {
  const fields = catalogueFields(row);
  return fields.length === 0 ? "" : JSON.stringify(fields.flat());
}

/** The history record, field by field: what changes rarely. */
export function recordFields(row: HistoryRow): Record<string, string> {
  return { user: row.user_id, content: row.content_id, ...Object.fromEntries(catalogueFields(row)) };
}

function catalogueFields({ title, thumbnail }: HistoryRow): [name: string, value: string][] {
  const fields: [string, string | null][] = [
    ["title", title],
    ["thumbnail", thumbnail],
  ];
  return fields.filter((field): field is [string, string] => field[1] !== null);
}
