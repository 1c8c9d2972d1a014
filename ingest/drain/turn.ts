import { isPoison } from "../../db/postgres/outcome.ts";
import { keepTrying } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";
import type { Projection } from "../views/project.ts";
import { storeSound } from "./bisect.ts";
import { decode } from "./decode.ts";
import type { Folded } from "./fold.ts";
import type { Stored } from "./store.ts";

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

  const { sound, poison: unreadable } = decode(entries);
  const storeFolded = (folded: Folded) =>
    keepTrying("store", () => store(folded), { ...patience, hopeless: isPoison });
  const { stored, poison: refused } = await storeSound(sound, storeFolded, isPoison);
  await keepTrying("project", () => project(stored), patience);

  const poison = [...unreadable, ...refused];
  await keepTrying("settle", () => settle(entries, poison), patience);

  log.debug({ events: sound.length, rows: stored.rows.length }, "drained");
  for (const { reason } of poison) log.error({ reason }, "quarantined");
}

export type TurnDeps = {
  store: (folded: Folded) => Promise<Stored>;
  project: (projection: Projection) => Promise<void>;
  settle: EventStream["settle"];
  log: Log;
};
