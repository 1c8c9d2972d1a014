import type { ListedContent } from "../../../db/contract/contents.ts";
import type { Range } from "./events.ts";
import { type Item, latest, type Moment, rangeOf } from "./items.ts";

/** When a play of a content first came to its end. */
export type CompletedPlay = { content_id: string; at: number };

/** `last_watched_at`: when the one was finished that it follows. */
export type NextEpisode = ListedContent & { last_watched_at: Range };

/** The next episode of each show of which one was finished, in no order. */
export function nextEpisodes(
  items: readonly Item[],
  plays: readonly CompletedPlay[],
  catalogue: ReadonlyMap<string, ListedContent>,
  now: number,
): NextEpisode[] {
  const known = new Map(items.map((item) => [item.content_id, item]));
  const episodes = [...catalogue.values()].flatMap((listed): Episode[] => {
    const { show, season, episode, content_id } = listed;
    if (show === null || season === null || episode === null) return [];
    return [{ listed, show, place: season * 1_000_000 + episode, item: known.get(content_id) ?? null }];
  });
  const shows = Map.groupBy(episodes, ({ show }) => show);
  return [...shows.values()].flatMap((its) => nextOf(its, plays, now) ?? []);
}

function nextOf(show: readonly Episode[], plays: readonly CompletedPlay[], now: number): NextEpisode | null {
  const inOrder = show.filter(({ listed }) => listed.season !== 0).sort((a, b) => a.place - b.place);
  // What was watched last is still on.
  const on = latest(inOrder.map(({ item }) => item?.watched ?? null));
  if (inOrder.some((its) => isBegun(its) && its.item?.watched?.at === on?.at)) return null;

  const last = lastFinished(inOrder);
  if (!last) return null;
  const again = wasFinishedBefore(last.item, last.finished, plays);
  const next = inOrder.find(
    ({ place, item, listed }) =>
      place > last.place && (again || !item?.finished) && (listed.released_at ?? 0) <= now,
  );
  if (!next || isBegun(next)) return null;
  return { ...next.listed, last_watched_at: rangeOf(last.finished) };
}

/** Of two that were finished at once, as when a season is marked, the one that is further on. */
function lastFinished(inOrder: readonly Episode[]): { place: number; item: Item; finished: Moment } | null {
  const finished = inOrder.flatMap(({ item, place }) =>
    item?.finished ? [{ item, place, finished: item.finished }] : [],
  );
  return finished.sort((a, b) => b.finished.at - a.finished.at || b.place - a.place)[0] ?? null;
}

/** Was it finished by watching it, when it had been finished before by another play, or was marked? */
function wasFinishedBefore(item: Item, finished: Moment, plays: readonly CompletedPlay[]): boolean {
  if (item.marked) return item.marked.at < finished.at;
  const ends = plays
    .filter(({ content_id, at }) => content_id === item.content_id && at > item.unwatchedUpTo)
    .map(({ at }) => at);
  return new Set(ends).size > 1;
}

function isBegun({ item }: Episode): boolean {
  return item !== null && item.resume !== null;
}

type Episode = { listed: ListedContent; show: string; place: number; item: Item | null };
