import type { ListedContent } from "../../../db/contract/contents.ts";
import type { Dismissal, Mark } from "../deeds.ts";
import { completes, type Done, type Heard, type Late, type Range } from "./events.ts";

/** When something was, and how much later the server may have taken it for. */
export type Moment = Late & { at: number };

/** What is known of one content of a viewer, worked out from everything that is not forgotten of it. */
export type Item = {
  content_id: string;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  /** Where to go on; null for nowhere. */
  resume: number | null;
  /** When it was last watched; null for never. */
  watched: Moment | null;
  /** When it was last watched to its end, or marked as watched, if that still counts. */
  finished: Moment | null;
  /** Up to this time it was said to be not watched; 0 when that was not said last. */
  unwatchedUpTo: number;
  /** When it was marked as watched, if that was said last. */
  marked: Moment | null;
  /** Is it hidden from what to continue? */
  hidden: boolean;
};

/** An item of the history as it must be shown. */
export type Expected = {
  content_id: string;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  resume_position_seconds: number | null;
  completed: boolean;
  last_watched_at: Range;
};

export function itemsOf(
  beats: readonly Heard[],
  deeds: readonly Done[],
  catalogue: ReadonlyMap<string, ListedContent>,
): Item[] {
  const beatsOf = Map.groupBy(beats, ({ content_id }) => content_id);
  const deedsOf = Map.groupBy(deeds, ({ content_id }) => content_id);
  const ids = new Set([...beatsOf.keys(), ...deedsOf.keys()]);
  return [...ids].map((id) => itemOf(id, beatsOf.get(id) ?? [], deedsOf.get(id) ?? [], catalogue.get(id)));
}

/** Those that are in the history, newest first: what was watched, or is marked as watched. */
export function historyOf(items: readonly Item[]): Expected[] {
  return items
    .flatMap((item) => {
      const listed = latest([item.watched, item.marked]);
      return listed ? [{ item, listed }] : [];
    })
    .sort((a, b) => b.listed.at - a.listed.at || (a.item.content_id < b.item.content_id ? 1 : -1))
    .map(({ item, listed }) => ({
      content_id: item.content_id,
      catalog_id: item.catalog_id,
      playback_time: item.playback_time,
      duration: item.duration,
      resume_position_seconds: item.resume,
      completed: item.finished !== null,
      last_watched_at: rangeOf(listed),
    }));
}

/** The last of several moments; of two at once the one that is named first. */
export function latest<Some extends Moment>(moments: readonly (Some | null)[]): Some | null {
  return moments.reduce((last, one) => (one && (!last || one.at > last.at) ? one : last), null);
}

export function rangeOf({ at, late }: Moment): Range {
  return { from: at, to: at + late };
}

function itemOf(
  content_id: string,
  beats: readonly Heard[],
  deeds: readonly Done[],
  listed: ListedContent | undefined,
): Item {
  const newest = newestOf(beats);
  const playback_time = newest?.playback_time ?? 0;
  const said = newestOf(beats.filter((beat) => beat.duration !== null))?.duration;
  const duration = said ?? listed?.duration ?? null;
  const mark = lastMark(deeds);
  const dismissal = lastDismissal(deeds);

  // The end is near: by the length, or by what the catalogue says of the credits. A channel never ends.
  const nearTheEnd = duration !== null && duration > 0 && playback_time / duration > 0.95;
  const inTheCredits = listed?.credits_at != null && playback_time > listed.credits_at;
  const live = listed?.kind === "live";
  const atTheEnd = !live && (nearTheEnd || inTheCredits);

  const completion = latest(beats.filter(completes));
  const unwatchedUpTo = mark && !mark.watched ? mark.at : 0;
  const marked = mark?.watched ? mark : null;
  const finishes = [marked, completion, newest && atTheEnd ? newest : null];
  const finished = latest(finishes.filter((finish) => finish !== null && finish.at > unwatchedUpTo));

  // Whatever ended it, or took it back, ended everything up to then.
  const overUpTo = Math.max(completion?.at ?? 0, mark?.at ?? 0);
  const goesOn = newest !== null && newest.at > overUpTo && !atTheEnd && !live;
  return {
    content_id,
    catalog_id: newestOf(beats.filter((beat) => beat.catalog_id !== null))?.catalog_id ?? null,
    playback_time,
    duration,
    resume: goesOn && duration !== null && duration > 0 && playback_time >= 30 ? playback_time : null,
    watched: newest,
    finished,
    unwatchedUpTo,
    marked,
    hidden: dismissal?.dismissed === true && dismissal.at >= (newest?.at ?? 0),
  };
}

/** By time, and at the same time by event_id. */
function newestOf(beats: readonly Heard[]): Heard | null {
  return beats.toSorted((a, b) => b.at - a.at || (a.event_id < b.event_id ? 1 : -1))[0] ?? null;
}

/** By time; of two at once, that it is watched. */
function lastMark(deeds: readonly Done[]): (Mark & Late) | null {
  const marks = deeds.filter((deed): deed is Mark & Late => deed.kind === "mark");
  return latest([...marks.filter(({ watched }) => watched), ...marks]);
}

/** By time; of two at once, that it is hidden. */
function lastDismissal(deeds: readonly Done[]): (Dismissal & Late) | null {
  const dismissals = deeds.filter((deed): deed is Dismissal & Late => deed.kind === "dismissal");
  return latest([...dismissals.filter(({ dismissed }) => dismissed), ...dismissals]);
}
