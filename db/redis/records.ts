import type { Content } from "../contract/contents.ts";
import { DIMENSIONS, type Dimension, valuesIn } from "../contract/dimensions.ts";
import type { ContentId } from "../contract/ids.ts";
import type { Progress, RecordView } from "../contract/views.ts";
import type { HistoryRow, Said } from "../rows.ts";

/**
 * Progress, packed: what the row says and what the catalogue adds, each behind its own version, for each changes
 * without the other. The scripts read the heads of both, and put together the newer halves of two.
 * What is not in the history is `[[rev],[0]]`, what is in Postgres alone `[[rev],[]]`; `[0]` is content that the
 * catalogue does not know.
 */
export type Packed = [
  row: [
    rev: number,
    watched_at: number,
    playback_time: number,
    duration: number | null,
    completed_at: number,
    catalog_id: string | null,
    said?: Said,
  ],
  content: [rev: number, duration?: number | null, credits_at?: number | null, live?: 0 | 1],
];

export function packProgress(row: HistoryRow, content: Content | null): string {
  return row.watched_at === 0 ? `[[${row.rev}],[0]]` : JSON.stringify(packed(row, content));
}

function packed(row: HistoryRow, content: Content | null): Packed {
  const { rev, watched_at, playback_time, duration, completed_at, catalog_id, said } = row;
  const watched: Packed[0] = [rev, watched_at, playback_time, duration, completed_at, catalog_id];
  if (said) watched.push(said);
  return [watched, content ? contentPart(content) : [0]];
}

function contentPart({ rev, duration, credits_at, kind }: Content): Packed[1] {
  return [rev, duration, credits_at, kind === "live" ? 1 : 0];
}

/** The progress of an item that is shown; what Redis holds is ours and is trusted. */
export function unpackProgress(content_id: ContentId, packed: string): Progress {
  return progressOf(content_id, JSON.parse(packed) as Packed);
}

/** The progress of a row that Postgres answered. */
export function watchedItem(row: HistoryRow, content: Content | null): Progress {
  return progressOf(row.content_id, packed(row, content));
}

export function progressOf(content_id: ContentId, [row, content]: Packed): Progress {
  const [, watched_at, playback_time, duration, completed_at, catalog_id, said] = row;
  const [, itsDuration, credits_at, live] = content;
  const [position_at, marked_at, marked, dismissed_at] = said ?? [watched_at, 0, 0, 0];
  return {
    content_id,
    catalog_id,
    playback_time,
    duration: duration ?? itsDuration ?? null,
    watched_at,
    position_at,
    completed_at,
    marked_at,
    marked: marked === 1,
    dismissed_at,
    credits_at: credits_at ?? null,
    live: live === 1,
  };
}

/** What the catalogue adds to an item: what is shown of it, as JSON, and the terms that find it. */
export type PackedRecord = { view: string; terms: string[] };

/** @returns null when there is nothing to show or to find. */
export function packRecord(content: Content | null): PackedRecord | null {
  if (content === null || content.removed) return null;
  return {
    view: JSON.stringify(recordView(content)),
    terms: DIMENSIONS.flatMap((dimension) =>
      valuesIn(dimension, content).map((value) => termOf(dimension, value)),
    ),
  };
}

export function recordView(content: Content): RecordView {
  const { title, thumbnail, sport, series, teams, show, season, episode } = content;
  return { title, thumbnail, sport, series, teams, show, season, episode };
}

/**
 * A value of a dimension as it is indexed: lower-case hex of its UTF-8, which no index folds, splits or escapes, so
 * that it matches itself alone.
 */
export function termOf(dimension: Dimension, value: string): string {
  return `${dimension}:${hexOf(value)}`;
}

const utf8 = new TextEncoder();

export function hexOf(text: string): string {
  let hex = "";
  for (const byte of utf8.encode(text)) hex += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
  return hex;
}

/** The text behind `hexOf`. */
export function textOf(hex: string): string {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
