import type { ContentId } from "../contract/ids.ts";
import type { Progress } from "../contract/views.ts";
import { type Packed, progressOf, unpackProgress } from "./records.ts";

/** What `readHistory` found. `complete` is false when what follows may be in Postgres alone. */
export type FoundHistory =
  | { state: "cold" }
  | { state: "same"; version: string }
  | { state: "page"; version: string; complete: boolean; found: Progress[] };

/** What `readItem` found. */
export type FoundItem =
  | { state: "cold" }
  | { state: "item"; progress: Progress }
  | { state: "absent"; complete: boolean };

/** The reply of the script `readHistory`. */
export function foundHistory(reply: unknown): FoundHistory {
  const [state, version, complete, ids, items] = reply as [FoundHistory["state"], ...FoundPage];
  if (state === "cold") return { state };
  if (state === "same") return { state, version };
  const named = JSON.parse(ids) as ContentId[];
  const found = (JSON.parse(items) as Packed[]).map((its, at) => progressOf(named[at] as ContentId, its));
  return { state, version, complete: complete === 1, found };
}

/** The reply of the script `readItem`. */
export function foundItem(reply: unknown, content: ContentId): FoundItem {
  const [state, value] = reply as [FoundItem["state"], string | number];
  if (state === "cold") return { state };
  if (state === "absent") return { state, complete: value === 1 };
  return { state, progress: unpackProgress(content, String(value)) };
}

type FoundPage = [version: string, complete: number, ids: string, items: string];
