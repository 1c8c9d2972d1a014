import type { ListedContent } from "../../../db/contract/contents.ts";
import { type Expected, historyOf, type Item } from "./items.ts";

/** An item of the history, with what the catalogue says of it. */
export type Continued = Expected &
  Pick<ListedContent, (typeof TOLD)[number]> & { teams: string[]; progress: number };

const TOLD = ["title", "thumbnail", "sport", "series", "show", "season", "episode"] as const;

/**
 * What there is to continue, newest first. The newest of a show stands for all of it, and when that one is hidden, so
 * is the show.
 */
export function continueWatching(
  items: readonly Item[],
  catalogue: ReadonlyMap<string, ListedContent>,
): Continued[] {
  const begun = historyOf(items).filter((item) => item.resume_position_seconds !== null);
  const showOf = (id: string) => catalogue.get(id)?.show ?? null;
  const standing = begun.filter(({ content_id }, index) => {
    const show = showOf(content_id);
    return show === null || !begun.slice(0, index).some((newer) => showOf(newer.content_id) === show);
  });
  const hidden = new Set(items.filter((item) => item.hidden).map(({ content_id }) => content_id));
  return standing
    .filter(({ content_id }) => !hidden.has(content_id))
    .map((item) => {
      const listed = catalogue.get(item.content_id);
      return {
        ...item,
        title: listed?.title ?? null,
        thumbnail: listed?.thumbnail ?? null,
        sport: listed?.sport ?? null,
        series: listed?.series ?? null,
        teams: listed?.teams ?? [],
        show: listed?.show ?? null,
        season: listed?.season ?? null,
        episode: listed?.episode ?? null,
        progress: item.playback_time / (item.duration ?? 0),
      };
    });
}
