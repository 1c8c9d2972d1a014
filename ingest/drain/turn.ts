import { isPoison } from "../../db/postgres/outcome.ts";
import { keepTrying } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";
import type { Projection } from "../views/project.ts";
import { storeSound } from "./bisect.ts";
import { decode } from "./decode.ts";
import { type Folded, fold } from "./fold.ts";
import type { Stored } from "./store.ts";

/** What one statement stores, and one round trip projects. */
const PART_ROWS = 1_000;
/** While one part is in Postgres, another is in Redis. */
const LANES = 2;

/**
 * One turn of the drain: make a batch durable, make it visible, let go of it.
 *
 * A crash between any two steps leaves the batch unacknowledged, so it comes again. That is harmless because
 * `store` answers with the current row of every key the batch touched, changed or not: the second turn projects
 * whatever the first did not. Each step is tried for as long as an outage lasts.
 *
 * @throws when the signal comes in the middle of an outage; the batch is then another turn's.
 */
export async function turn(
  deps: TurnDeps,
  entries: readonly StreamEntry[],
  signal: AbortSignal,
): Promise<void> {
  const { store, project, settle, log } = deps;
  const patience = { signal, log };
  const storeFolded = (folded: Folded) =>
    keepTrying("store", () => store(folded), { ...patience, hopeless: isPoison });

  const { sound, poison } = decode(entries);
  await inLanes(LANES, partsOf(fold(sound)), async (part) => {
    const users = new Set([...part.items.map((item) => item.user_id), ...part.cleared.keys()]);
    const theirs = () => sound.filter((event) => users.has(event.user_id));
    const { stored, poison: refused } = await storeSound(part, theirs, storeFolded, isPoison);
    await keepTrying("project", () => project(stored), patience);
    poison.push(...refused);
  });
  await keepTrying("settle", () => settle(entries, poison), patience);

  log.debug({ events: sound.length }, "drained");
  for (const { reason } of poison) log.error({ reason }, "quarantined");
}

/** Cuts between users: what is known of a user is stored and projected together. */
function partsOf({ items, cleared }: Folded): Folded[] {
  const parts: Folded[] = [];
  const clears = new Map(cleared);
  let last: Folded = { items: [], cleared: new Map() };
  let user: string | undefined;
  for (const item of items) {
    if (item.user_id !== user) {
      user = item.user_id;
      if (parts.length === 0 || last.items.length >= PART_ROWS) {
        last = { items: [], cleared: new Map() };
        parts.push(last);
      }
      const clear = clears.get(item.user_id);
      if (clear !== undefined) last.cleared.set(item.user_id, clear);
      clears.delete(item.user_id);
    }
    last.items.push(item);
  }
  // Users of whom there is nothing but a clear.
  return clears.size === 0 ? parts : [...parts, { items: [], cleared: clears }];
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
  store: (folded: Folded) => Promise<Stored>;
  project: (projection: Projection) => Promise<void>;
  settle: EventStream["settle"];
  log: Log;
};
