import type { ListedContent } from "../../db/contract/contents.ts";
import type { Beat } from "./beat.ts";
import type { Deed } from "./deeds.ts";
import { type Continued, continueWatching } from "./expected/continue-watching.ts";
import { completes, type Done, type Heard, type Late } from "./expected/events.ts";
import { type Expected, historyOf, type Item, itemsOf } from "./expected/items.ts";
import { type CompletedPlay, type NextEpisode, nextEpisodes } from "./expected/next-episodes.ts";
import { type NextFixture, nextFixtures } from "./expected/next-fixtures.ts";

/**
 * What the lists must be, kept as simply as can be: everything that was accepted is remembered, and a list is worked
 * out from all of it when it is asked for. It shares no code with the service.
 *
 * @param catalogue what the catalogue was told.
 */
export function createModel(catalogue: ReadonlyMap<string, ListedContent> = new Map()): Model {
  const users = new Map<string, Facts>();
  const factsOf = (user: string): Facts => {
    const known = users.get(user) ?? {
      heard: new Map(),
      done: new Map(),
      forgotten: new Map(),
      clearedAt: 0,
    };
    users.set(user, known);
    return known;
  };
  const itemsFor = (user: string): Item[] => {
    const { beats, deeds } = living(factsOf(user));
    return itemsOf(beats, deeds, catalogue);
  };

  return {
    heard: (user, beat, late) => remember(factsOf(user).heard, beat, late),
    did: (user, deed, late) => remember(factsOf(user).done, deed, late),
    forgot(user, content_id, at) {
      const { forgotten } = factsOf(user);
      forgotten.set(content_id, Math.max(at, forgotten.get(content_id) ?? 0));
    },
    cleared(user, at) {
      const facts = factsOf(user);
      facts.clearedAt = Math.max(at, facts.clearedAt);
    },
    living: (user) => living(factsOf(user)).beats,
    history: (user) => historyOf(itemsFor(user)),
    continueWatching: (user) => continueWatching(itemsFor(user), catalogue),
    nextEpisodes: (user, now) => nextEpisodes(itemsFor(user), completedPlays(factsOf(user)), catalogue, now),
    nextFixtures: (user, now) => nextFixtures(itemsFor(user), catalogue, now),
    users: () => [...users.keys()],
    events: () => [...users.values()].reduce((sum, { heard, done }) => sum + heard.size + done.size, 0),
  };
}

/** An event that came again may have been taken for the later one. */
function remember<Event extends { event_id: string }>(
  known: Map<string, Event & Late>,
  event: Event,
  late: number,
): void {
  const before = known.get(event.event_id)?.late ?? 0;
  known.set(event.event_id, { ...event, late: Math.max(late, before) });
}

/** What is left of what was heard and done: newer than the forgetting of its item and of everything. */
function living(facts: Facts): { beats: Heard[]; deeds: Done[] } {
  const lives = ({ content_id, at }: { content_id: string; at: number }) =>
    at > forgottenUpTo(facts, content_id);
  return { beats: [...facts.heard.values()].filter(lives), deeds: [...facts.done.values()].filter(lives) };
}

function forgottenUpTo({ forgotten, clearedAt }: Facts, content_id: string): number {
  return Math.max(clearedAt, forgotten.get(content_id) ?? 0);
}

/** When each play first came to its end. One that began in what is forgotten is forgotten as a whole. */
function completedPlays(facts: Facts): CompletedPlay[] {
  const plays = Map.groupBy(facts.heard.values(), ({ content_id, play_id }) => `${content_id} ${play_id}`);
  return [...plays.values()].flatMap((beats) => {
    const [first] = beats.toSorted((a, b) => a.at - b.at);
    const [end] = beats.filter(completes).sort((a, b) => a.at - b.at);
    if (!first || !end || first.at <= forgottenUpTo(facts, first.content_id)) return [];
    return [{ content_id: end.content_id, at: end.at }];
  });
}

type Facts = {
  heard: Map<string, Heard>;
  done: Map<string, Done>;
  forgotten: Map<string, number>;
  clearedAt: number;
};
export type Model = {
  heard(user: string, beat: Beat, late: number): void;
  did(user: string, deed: Deed, late: number): void;
  forgot(user: string, content_id: string, at: number): void;
  cleared(user: string, at: number): void;
  /** The accepted heartbeats of a user that are not forgotten. */
  living(user: string): Heard[];
  history(user: string): Expected[];
  continueWatching(user: string): Continued[];
  nextEpisodes(user: string, now: number): NextEpisode[];
  nextFixtures(user: string, now: number): NextFixture[];
  users(): string[];
  /** How many different events were accepted. */
  events(): number;
};
