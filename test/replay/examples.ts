import type { ListedContent } from "../../db/contract/contents.ts";
import { ContentId } from "../../db/contract/ids.ts";
import type { Beat } from "./beat.ts";
import type { Deed, Dismissal, Mark } from "./deeds.ts";
import type { Device } from "./devices.ts";
import type { Model } from "./model.ts";

/** A device with a right clock that says all it can, unless told otherwise. */
export function aDevice(its: Partial<Device> = {}): Device {
  return {
    device_id: "tv",
    skew_ms: 0,
    says_sent_at: false,
    iso_times: false,
    knows_duration: true,
    knows_catalogue: true,
    ...its,
  };
}

/** A beat in the middle of a match, unless told otherwise. */
export function aBeat(its: Partial<Beat> = {}): Beat {
  return {
    event_id: "e1",
    device: aDevice(),
    at: 1_000,
    content_id: "match",
    catalog_id: "football",
    playback_time: 600,
    duration: 7_200,
    action: null,
    play_id: "play",
    ...its,
  };
}

/** The match is marked as watched, unless told otherwise. */
export function aMark(its: Partial<Mark> = {}): Mark {
  return { ...aDeed("mark", its), kind: "mark", watched: true, ...its };
}

/** The match is hidden, unless told otherwise. */
export function aDismissal(its: Partial<Dismissal> = {}): Dismissal {
  return { ...aDeed("dismissal", its), kind: "dismissal", dismissed: true, ...its };
}

/** Nothing but its id is known of a content, unless told otherwise. */
export function aContent(id: string, its: Partial<ListedContent> = {}): ListedContent {
  return {
    ...{ kind: null, title: null, thumbnail: null, duration: null },
    ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
    ...{ credits_at: null, released_at: null },
    ...its,
    content_id: ContentId.parse(id),
  };
}

/** A show of seasons with so many episodes, named `s1e1` and so on; `s0e1` are specials. All are 100 s long. */
export function aShow(seasons: Record<number, number>, show = "show"): ListedContent[] {
  return Object.entries(seasons).flatMap(([season, count]) =>
    Array.from({ length: count }, (_, n) =>
      aContent(`${show === "show" ? "" : `${show}.`}s${season}e${n + 1}`, {
        ...{ kind: "episode", show, season: Number(season), episode: n + 1, duration: 100 },
      }),
    ),
  );
}

export function catalogueOf(...contents: ListedContent[]): Map<string, ListedContent> {
  return new Map(contents.map((content) => [content.content_id, content]));
}

/** Tells the model of beats and deeds of `u`, all of them with right clocks. */
export function tell(model: Model, ...events: readonly (Beat | Deed)[]): Model {
  for (const event of events) {
    if ("kind" in event) model.did("u", event, 0);
    else model.heard("u", event, 0);
  }
  return model;
}

/** A play of an episode of 100 s up to some position. */
export function aPlay(
  content_id: string,
  at: number,
  playback_time: number,
  play_id = `${content_id}.${at}`,
): Beat {
  return aBeat({ event_id: `${play_id}@${at}`, content_id, at, playback_time, duration: 100, play_id });
}

function aDeed(kind: Deed["kind"], { content_id = "match", at = 1_000 }: Partial<Deed>) {
  return { event_id: `${kind}.${content_id}.${at}`, device: aDevice(), at, content_id };
}
