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

/** What `search` found. */
export type FoundNarrowed =
  | NotFound
  | { state: "page"; version: string; complete: boolean; found: Narrowed[] };

/** What `facets` found. */
export type FoundFacets = NotFound | { state: "facets"; version: string; complete: boolean; found: Facet[] };

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

/** The reply of the script `search`. */
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
