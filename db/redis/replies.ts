import type { FeedCursor } from "../contract/changes.ts";
import type { ContentId } from "../contract/ids.ts";
import type { Facet, Narrowed, Progress, RecordView } from "../contract/views.ts";
import { facetsInOrder } from "../contract/views.ts";
import { type Packed, progressOf, textOf, unpackProgress } from "./records.ts";

/** A view that cannot answer: cold, warm in another index (its making is told), or what the client has already. */
export type NotFound =
  | { state: "cold" }
  | { state: "other"; making: string }
  | { state: "same"; version: string };

/** What `readHistory` found. `complete` is false when what follows may be in Postgres alone. */
export type FoundHistory =
  | Exclude<NotFound, { state: "other" }>
  | { state: "page"; version: string; complete: boolean; found: Progress[] };

/** What `readItem` found. */
export type FoundItem =
  | { state: "cold" }
  | { state: "item"; progress: Progress }
  | { state: "absent"; complete: boolean };

/** What `search` or `continueWatching` found. */
export type FoundNarrowed =
  | NotFound
  | { state: "page"; version: string; complete: boolean; found: Narrowed[] };

/** What `facets` found. */
export type FoundFacets = NotFound | { state: "facets"; version: string; complete: boolean; found: Facet[] };

/** An item that changed: null when it is gone, undefined when only Postgres knows. */
export type ToldInView = { content_id: ContentId; progress: Progress | null | undefined };

/** What `readChanges` found: `list` when what a client has to start from is in Postgres alone, in part. */
export type FoundChanges =
  | { state: "cold" }
  | { state: "list"; cursor: FeedCursor; reset: boolean }
  | { state: "changes"; cursor: FeedCursor; reset: boolean; has_more: boolean; told: ToldInView[] };

/** The reply of the script `readHistory`. */
export function foundHistory(reply: unknown): FoundHistory {
  const [state, version, complete, ids, items] = reply as Reply<FoundHistory>;
  if (state === "cold") return { state };
  if (state === "same") return { state, version };
  return { state, version, complete: complete === 1, found: itemsOf(ids, items) };
}

/** The reply of the script `readItem`. */
export function foundItem(reply: unknown, content: ContentId): FoundItem {
  const [state, value] = reply as [FoundItem["state"], string | number];
  if (state === "cold") return { state };
  if (state === "absent") return { state, complete: value === 1 };
  return { state, progress: unpackProgress(content, String(value)) };
}

/** The reply of the scripts `search` and `continueWatching`. */
export function foundNarrowed(reply: unknown): FoundNarrowed {
  const [state, version, complete, ids, items, views] = reply as Reply<FoundNarrowed>;
  if (state !== "page") return notFound(state, version);
  const records = JSON.parse(views) as (RecordView | null)[];
  const found = itemsOf(ids, items).map((progress, at) => ({ progress, record: records[at] ?? null }));
  return { state, version, complete: complete === 1, found };
}

/** The reply of the script `facets`. */
export function foundFacets(reply: unknown): FoundFacets {
  const [state, version, complete, counts] = reply as Reply<FoundFacets>;
  if (state !== "facets") return notFound(state, version);
  const pairs = JSON.parse(counts) as [hex: string, count: number][];
  const found = facetsInOrder(pairs.map(([hex, count]) => [textOf(hex), count]));
  return { state, version, complete: complete === 1, found };
}

/** The reply of the script `readChanges`. */
export function foundChanges(reply: unknown): FoundChanges {
  const [state, epoch, seq, reset, more, ids, items] = reply as ChangesReply;
  if (state === "cold") return { state };
  const begun = { cursor: { epoch, seq, after: null }, reset: reset === 1 };
  if (state === "list") return { state, ...begun };
  const named = JSON.parse(ids) as ContentId[];
  const packed = JSON.parse(items) as (Packed | 0 | null)[];
  const told = named.map((content_id, at) => {
    const its = packed[at];
    if (its === null || its === undefined) return { content_id, progress: undefined };
    return { content_id, progress: its === 0 ? null : progressOf(content_id, its) };
  });
  return { state, ...begun, has_more: more === 1, told };
}

function notFound(state: NotFound["state"], text: string): NotFound {
  if (state === "cold") return { state };
  return state === "other" ? { state, making: text } : { state, version: text };
}

/** Both texts list the same items in the same order. */
function itemsOf(ids: string, items: string): Progress[] {
  const named = JSON.parse(ids) as ContentId[];
  return (JSON.parse(items) as Packed[]).map((its, at) => progressOf(named[at] as ContentId, its));
}

type Reply<Found extends { state: string }> = [
  state: Found["state"],
  version: string,
  complete: number,
  idsOrCounts: string,
  items: string,
  views: string,
];

type ChangesReply = [
  state: FoundChanges["state"],
  epoch: string,
  seq: number,
  reset: number,
  more: number,
  ids: string,
  items: string,
];
