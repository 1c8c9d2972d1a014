import { compareIds } from "../../db/contract/ids.ts";
import { isPoison } from "../../db/postgres/outcome.ts";
import { keepTrying } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";
import type { Projection } from "../views/project.ts";
import { storeSound } from "./bisect.ts";
import { type DrainEvent, decode } from "./decode.ts";
import type { Folded } from "./fold.ts";
import type { Stored } from "./store.ts";

/** A part of a turn: what one statement stores. */
const PART_EVENTS = 1_000;
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
  await inLanes(LANES, partsOf(sound, PART_EVENTS), async (part) => {
    const { stored, poison: refused } = await storeSound(part, storeFolded, isPoison);
    await keepTrying("project", () => project(stored), patience);
    poison.push(...refused);
  });
  await keepTrying("settle", () => settle(entries, poison), patience);

  log.debug({ events: sound.length }, "drained");
  for (const { reason } of poison) log.error({ reason }, "quarantined");
}

/** All events of a user go into one part, so that a user's rows are folded, stored and projected once a turn. */
function partsOf(events: readonly DrainEvent[], size: number): DrainEvent[][] {
  const byUser = Map.groupBy(events, ({ user_id }) => user_id);
  const parts: DrainEvent[][] = [];
  for (const [, theirs] of [...byUser].sort(([a], [b]) => compareIds(a, b))) {
    const last = parts.at(-1);
    if (last && last.length < size) last.push(...theirs);
    else parts.push([...theirs]);
  }
  return parts;
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
