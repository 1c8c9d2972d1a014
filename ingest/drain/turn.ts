import type { UserId } from "../../db/contract/ids.ts";
import { isPoison } from "../../db/postgres/outcome.ts";
import { keepTrying } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";
import type { Projection } from "../views/project.ts";
import { storeSound } from "./bisect.ts";
import { type DrainEvent, decode } from "./decode.ts";
import { type Folded, fold, type OwnedEvent } from "./fold.ts";
import type { Stored } from "./store.ts";

/** What one statement stores, and one round trip projects. */
const PART_ROWS = 1_000;
/** While one part is in Postgres, another is in Redis. */
const LANES = 2;

/**
 * One turn of the drain: make a batch durable, make it visible, tell the world, let go of it.
 *
 * A crash between any two steps leaves the batch unacknowledged, so it comes again. That is harmless because
 * `store` answers with the current row of every key the batch touched, changed or not: the second turn projects
 * whatever the first did not. Each step is tried for as long as an outage lasts.
 *
 * @returns how many events there were, and how many changes they came down to.
 * @throws when the signal comes in the middle of an outage; the batch is then another turn's.
 */
export async function turn(
  deps: TurnDeps,
  entries: readonly StreamEntry[],
  signal: AbortSignal,
): Promise<{ events: number; changes: number }> {
  const { store, project, publish, settle, log } = deps;
  const patience = { signal, log };
  const storeFolded = (folded: Folded, eventsOf: () => readonly DrainEvent[]) =>
    keepTrying("store", () => store(folded, eventsOf), { ...patience, hopeless: isPoison });

  const { sound, poison } = decode(entries);
  const folded = fold(sound);
  await inLanes(LANES, partsOf(folded), async (part) => {
    const theirs = () => eventsBehind(part, sound);
    const { stored, poison: refused } = await storeSound(part, theirs, storeFolded, isPoison);
    await keepTrying("project", () => project(stored), patience);
    await keepTrying("publish", () => publish(newsOf(stored, part)), patience);
    poison.push(...refused);
  });
  await keepTrying("settle", () => settle(entries, poison), patience);

  log.debug({ events: sound.length }, "drained");
  for (const { reason } of poison) log.error({ reason }, "quarantined");
  return { events: sound.length, changes: folded.items.length + folded.cleared.size + folded.pauses.size };
}

/** Cuts between users: what is known of a user is stored and projected together. */
function partsOf({ items, plays, cleared, pauses }: Folded): Folded[] {
  const parts: Folded[] = [];
  const partOf = new Map<UserId, Folded>();
  const place = (user: UserId): Folded => {
    const known = partOf.get(user);
    if (known) return known;
    let last = parts.at(-1);
    if (last === undefined || last.items.length >= PART_ROWS) {
      last = { items: [], plays: [], cleared: new Map(), pauses: new Map() };
      parts.push(last);
    }
    partOf.set(user, last);
    return last;
  };
  for (const item of items) place(item.user_id).items.push(item);
  for (const play of plays) place(play.user_id).plays.push(play);
  for (const [user, at] of cleared) place(user).cleared.set(user, at);
  for (const [user, its] of pauses) place(user).pauses.set(user, its);
  return parts;
}

/** What its own events brought: a clear that is only met again was told by the turn that made it. */
function newsOf(stored: Stored, { cleared: own }: Folded): Stored {
  return {
    ...stored,
    rows: stored.rows.filter(({ quiet }) => quiet !== true),
    cleared: new Map([...stored.cleared].filter(([user]) => own.has(user))),
  };
}

/** The events of a batch that a part of it came from. */
function eventsBehind({ items, cleared, pauses }: Folded, events: readonly DrainEvent[]): DrainEvent[] {
  const users = new Set([...items.map(({ user_id }) => user_id), ...cleared.keys(), ...pauses.keys()]);
  return events.filter(({ user_id }) => users.has(user_id));
}

/** Works on so many at a time. When one fails, no other is begun, and those under way are waited for. */
async function inLanes<T>(
  lanes: number,
  parts: readonly T[],
  work: (part: T) => Promise<void>,
): Promise<void> {
  const left = parts.values();
  const outcomes = await Promise.allSettled(
    Array.from({ length: lanes }, async () => {
      for (const part of left) await work(part);
    }),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

export type TurnDeps = {
  store: (folded: Folded, eventsOf: () => readonly OwnedEvent[]) => Promise<Stored>;
  project: (projection: Projection) => Promise<void>;
  /** Tells the world of rows, completions, and the clears that these events brought. */
  publish: (news: Stored) => Promise<void>;
  settle: EventStream["settle"];
  log: Log;
};
