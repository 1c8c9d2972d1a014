import { type ContentId, compareIds } from "../../db/contract/ids.ts";
import { finishedAt, type Progress, resumeOf } from "../../db/contract/views.ts";

/** An episode of a show, as the rule sees it. Times are epoch milliseconds. */
export type Episode = {
  content_id: ContentId;
  show: string;
  /** 0 for specials. */
  season: number;
  episode: number;
  released_at: number | null;
  /** How far the viewer is; null when it is not in the history. */
  progress: Progress | null;
  /** When each of its plays was completed, in no order. */
  completions: readonly number[];
};

/** What is proposed, and until when: the first release of something that would be proposed in its place or besides. */
export type Proposal<Proposed> = { proposed: Proposed[]; until: number | null };

export type NextEpisode = { content_id: ContentId; last_watched_at: number };

/**
 * The next episode of each show that somebody watches, given all episodes of these shows: newest finish first, ties by
 * show.
 *
 * It follows the episode that was finished last, and is not finished itself, so that who watches out of order fills the
 * gaps forward; after an episode that was watched again it is simply the one that follows. What is not released is passed
 * over until it is. Specials do not interrupt: they are never proposed, and what is watched of them leads nowhere. A show whose next episode, or whose
 * last watched one, is in progress is there to be continued, and not here.
 */
export function nextEpisodes(episodes: readonly Episode[], now: number): Proposal<NextEpisode> {
  const found = [...Map.groupBy(episodes, ({ show }) => show)].flatMap(([show, its]) => {
    const next = nextOf(its, now);
    return next ? [{ show, ...next }] : [];
  });
  found.sort((a, b) => b.last_watched_at - a.last_watched_at || compareIds(a.show, b.show));
  return {
    proposed: found.flatMap(({ content_id, last_watched_at }) =>
      content_id === null ? [] : [{ content_id, last_watched_at }],
    ),
    until: earliest(found.map(({ until }) => until)),
  };
}

/** The next one of a show, null when nothing is left for now; or null when there is no place to go on from. */
function nextOf(episodes: readonly Episode[], now: number) {
  const regular = episodes.filter(({ season }) => season > 0);
  if (isBeingWatched(regular)) return null;
  const numbers = inOrder(regular);
  const last = lastFinished(numbers);
  if (!last) return null;

  const again = isRewatch(last.contents, last.finished_at);
  const following = numbers
    .slice(numbers.indexOf(last.contents) + 1)
    .filter((contents) => again || lastFinish(contents) === 0);
  const at = following.findIndex((contents) => contents.some((its) => isReleased(its, now)));
  const passed = at < 0 ? following : following.slice(0, at + 1);
  return {
    last_watched_at: last.finished_at,
    content_id: proposedOf(following[at] ?? [], now),
    until: earliest(passed.flat().map((its) => (isReleased(its, now) ? null : its.released_at))),
  };
}

/** Is what was watched last in progress? */
function isBeingWatched(episodes: readonly Episode[]): boolean {
  const newest = Math.max(...episodes.map(({ progress }) => progress?.position_at ?? 0));
  return episodes.some((its) => isInProgress(its) && its.progress?.position_at === newest);
}

/** The contents of each number, by season and episode: several of one number are one episode. */
function inOrder(episodes: readonly Episode[]): Episode[][] {
  const numbered = episodes.toSorted(
    (a, b) => a.season - b.season || a.episode - b.episode || compareIds(a.content_id, b.content_id),
  );
  return [...Map.groupBy(numbered, ({ season, episode }) => `${season}.${episode}`).values()];
}

/** What was finished last; of several at once, such as a season that was marked, the one furthest on. */
function lastFinished(numbers: readonly Episode[][]) {
  let last: { contents: Episode[]; finished_at: number } | null = null;
  for (const contents of numbers) {
    const finished_at = lastFinish(contents);
    if (finished_at > 0 && finished_at >= (last?.finished_at ?? 0)) last = { contents, finished_at };
  }
  return last;
}

/** Had it been finished before a play of it finished it last? What was before it was unmarked is no more. */
function isRewatch(contents: readonly Episode[], finished_at: number): boolean {
  const marks = contents.flatMap(({ progress }) => (progress?.marked ? [progress.marked_at] : []));
  if (marks.length > 0) return !marks.includes(finished_at);
  const completions = contents.flatMap(({ progress, completions }) =>
    completions.filter((at) => at > (progress?.marked_at ?? 0)),
  );
  return completions.some((at) => at < Math.max(...completions));
}

function lastFinish(contents: readonly Episode[]): number {
  return Math.max(...contents.map(({ progress }) => (progress ? finishedAt(progress) : 0)));
}

/** The first content of a number that can be watched, unless one of that number is in progress. */
function proposedOf(contents: readonly Episode[], now: number): ContentId | null {
  if (contents.some(isInProgress)) return null;
  return contents.find((its) => isReleased(its, now))?.content_id ?? null;
}

function isInProgress({ progress }: Episode): boolean {
  return progress !== null && resumeOf(progress) !== null;
}

function isReleased({ released_at }: Episode, now: number): boolean {
  return released_at === null || released_at <= now;
}

/** The earliest of times, null when there is none. */
function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
}
