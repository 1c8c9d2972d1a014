import type { ContentId } from "../../db/contract/ids.ts";
import type { Progress } from "../../db/contract/views.ts";
import type { Episode } from "../../ingest/views/next-episodes.ts";

/** What somebody does with an episode, such as `1x2`; `1x2b` is another content of that number. */
export type Step = `${Deed} ${string}`;
type Deed = "end" | "credits" | "half" | "look" | "mark" | "unmark" | "dismiss" | "forget";

export const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DURATION = 2_400;
const CREDITS_AT = 2_200;

export type Story = {
  /** Everything of a show that the catalogue has. */
  shows: Record<string, string>;
  /** One after the other, a minute between them; what is in one string, with commas, happens at once. */
  did: readonly string[];
  /** Episodes that are released only so many minutes from now. */
  later?: Record<string, number>;
};

/** The episodes of a story as Postgres would answer them. Numbers of shows other than the first begin with their name. */
export function episodesOf({ shows, did, later = {} }: Story): Episode[] {
  const episodes = new Map<string, Episode>();
  for (const [show, numbers] of Object.entries(shows)) {
    const prefix = show === Object.keys(shows)[0] ? "" : `${show}:`;
    for (const number of numbers.split(" ")) {
      const name = prefix + number;
      const released = later[name];
      episodes.set(name, {
        ...episodeOf(show, name),
        ...(released ? { released_at: NOW + released * MINUTE } : {}),
      });
    }
  }
  did.forEach((steps, minute) => {
    for (const step of steps.split(", ")) {
      const [deed = "", name = ""] = step.split(" ");
      const episode = episodes.get(name);
      // What the catalogue does not have is watched all the same, and the rule does not get to see it.
      if (episode) episodes.set(name, after(episode, deed, NOW - (1_000 - minute) * MINUTE));
    }
  });
  return [...episodes.values()];
}

function episodeOf(show: string, name: string): Episode {
  const [, season, episode] = /(\d+)x(\d+)/.exec(name) ?? [];
  return {
    content_id: name as ContentId,
    show,
    season: Number(season),
    episode: Number(episode),
    released_at: null,
    progress: null,
    completions: [],
  };
}

function after(episode: Episode, deed: string, at: number): Episode {
  const { completions } = episode;
  const before = episode.progress ?? untouched(episode.content_id);
  const watched = (playback_time: number): Progress => ({
    ...before,
    playback_time,
    position_at: at,
    watched_at: at,
  });
  switch (deed) {
    case "end":
      return {
        ...episode,
        progress: { ...watched(DURATION), completed_at: at },
        completions: [...completions, at],
      };
    case "credits":
      return { ...episode, progress: watched(CREDITS_AT + 10) };
    case "half":
      return { ...episode, progress: watched(DURATION / 2) };
    case "look":
      return { ...episode, progress: watched(10) };
    case "mark":
      return { ...episode, progress: { ...before, marked_at: at, marked: true, watched_at: at } };
    case "unmark":
      return { ...episode, progress: { ...before, marked_at: at, marked: false } };
    case "dismiss":
      return { ...episode, progress: { ...before, dismissed_at: at } };
    case "forget":
      return { ...episode, progress: null, completions: [] };
    default:
      throw new Error(`nobody can ${deed}`);
  }
}

function untouched(content_id: ContentId): Progress {
  return {
    ...{ content_id, catalog_id: null, playback_time: 0, duration: DURATION, watched_at: 0, position_at: 0 },
    ...{ completed_at: 0, marked_at: 0, marked: false, dismissed_at: 0, credits_at: CREDITS_AT, live: false },
  };
}
