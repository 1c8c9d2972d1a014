import type { Beat } from "./beat.ts";

/**
 * What the histories must be, kept as simply as can be: every accepted event is remembered, and a history is worked
 * out from all of them when it is asked for. It shares no code with the service.
 */
export function createModel(): Model {
  const users = new Map<string, Facts>();
  const factsOf = (user: string): Facts => {
    const known = users.get(user) ?? { heard: new Map(), forgotten: new Map(), clearedAt: 0 };
    users.set(user, known);
    return known;
  };

  return {
    heard(user, beat, late) {
      const { heard } = factsOf(user);
      const before = heard.get(beat.event_id)?.late ?? 0;
      heard.set(beat.event_id, { ...beat, late: Math.max(late, before) });
    },
    forgot(user, content_id, at) {
      const { forgotten } = factsOf(user);
      forgotten.set(content_id, Math.max(at, forgotten.get(content_id) ?? 0));
    },
    cleared(user, at) {
      const facts = factsOf(user);
      facts.clearedAt = Math.max(at, facts.clearedAt);
    },
    living: (user) => living(factsOf(user)),
    history: (user) => historyOf(living(factsOf(user))),
    users: () => [...users.keys()],
    events: () => [...users.values()].reduce((sum, { heard }) => sum + heard.size, 0),
  };
}

/** What is left of what was heard: newer than the forgetting of its item and of everything. */
function living({ heard, forgotten, clearedAt }: Facts): Heard[] {
  return [...heard.values()].filter(
    ({ at, content_id }) => at > clearedAt && at > (forgotten.get(content_id) ?? 0),
  );
}

function historyOf(beats: readonly Heard[]): Expected[] {
  const items = Map.groupBy(beats, ({ content_id }) => content_id);
  return [...items.values()].flatMap((all) => {
    const newest = newestOf(all);
    return newest ? [expected(newest, all)] : [];
  });
}

function expected({ content_id, playback_time, at, late }: Heard, all: readonly Heard[]): Expected {
  const duration = newestOf(all.filter((beat) => beat.duration !== null))?.duration ?? null;
  const catalog_id = newestOf(all.filter((beat) => beat.catalog_id !== null))?.catalog_id ?? null;
  const completions = all.filter(completes);
  const over = completions.some((beat) => beat.at >= at) || isNearTheEnd(playback_time, duration);
  const resumes = !over && duration !== null && playback_time >= 30;
  return {
    content_id,
    catalog_id,
    playback_time,
    duration,
    resume_position_seconds: resumes ? playback_time : null,
    completed: completions.length > 0 || isNearTheEnd(playback_time, duration),
    last_watched_at: { from: at, to: at + late },
  };
}

/** By time, and at the same time by event_id. */
function newestOf(beats: readonly Heard[]): Heard | undefined {
  return beats.toSorted((a, b) => b.at - a.at || (a.event_id < b.event_id ? 1 : -1))[0];
}

/** The player said so, or the event itself shows it. */
function completes({ action, playback_time, duration }: Heard): boolean {
  return action === "finish" || isNearTheEnd(playback_time, duration);
}

function isNearTheEnd(position: number, duration: number | null): boolean {
  return duration !== null && duration > 0 && position / duration > 0.95;
}

type Facts = { heard: Map<string, Heard>; forgotten: Map<string, number>; clearedAt: number };
/** `late`: the server may have taken it for so much later, because it had to correct the device's clock. */
export type Heard = Beat & { late: number };

/** An item as it must be shown. */
export type Expected = {
  content_id: string;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  resume_position_seconds: number | null;
  completed: boolean;
  /** Both ends included, epoch milliseconds. */
  last_watched_at: { from: number; to: number };
};

export type Model = {
  heard(user: string, beat: Beat, late: number): void;
  forgot(user: string, content_id: string, at: number): void;
  cleared(user: string, at: number): void;
  /** The accepted events of a user that are not forgotten. */
  living(user: string): Heard[];
  history(user: string): Expected[];
  users(): string[];
  /** How many different events were accepted. */
  events(): number;
};
