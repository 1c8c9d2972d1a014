import * as z from "zod";
import { limitParameter, parametersOf, type Query } from "./pages.ts";
import { checked } from "./refusals.ts";
import { type Narrowed, NarrowedItem, narrowedItem, type Progress, resumeOf } from "./views.ts";

/** One entry of what to continue. */
export const ContinueItem = z.object({
  ...NarrowedItem.shape,
  progress: z.number().min(0).max(1).describe("The share of the duration that was watched"),
});
export type ContinueItem = z.infer<typeof ContinueItem>;

/** Nothing else is taken. */
export const ContinueQuery = z.strictObject({ limit: limitParameter({ usual: 20, most: 100 }) });

/** The query string of what to continue: how many entries are wanted. @throws Refusal `invalid_input` */
export function continueRequest(query: Query): number {
  return checked(ContinueQuery, parametersOf(query)).limit;
}

/**
 * What to continue, out of the items of a history, newest first: those that have a position to resume from, and of a
 * show only the newest of them, which stands for it.
 *
 * An entry that is dismissed is left out only then: a show whose entry was dismissed is hidden as a whole, and no older
 * episode comes up in its place.
 */
export function continueWatching(items: Iterable<Narrowed>, limit: number): ContinueItem[] {
  const shows = new Set<string>();
  const entries: ContinueItem[] = [];
  for (const item of items) {
    const { playback_time, duration } = item.progress;
    if (entries.length === limit) break;
    if (resumeOf(item.progress) === null || duration === null) continue;
    const show = item.record?.show ?? null;
    if (show !== null && shows.has(show)) continue;
    if (show !== null) shows.add(show);
    if (!isHidden(item.progress)) entries.push({ ...narrowedItem(item), progress: playback_time / duration });
  }
  return entries;
}

/** Dismissed, and not watched since. */
function isHidden({ position_at, dismissed_at }: Progress): boolean {
  return dismissed_at >= position_at;
}
