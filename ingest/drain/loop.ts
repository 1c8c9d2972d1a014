import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";

/** What one turn takes: more is sent to Postgres in several statements, each of a bearable size. */
const TURN_EVENTS = 2_000;
const TAKE_ENTRIES = 1_000;
/** One turn waits for Postgres while the other folds and projects. */
const TURNS_IN_FLIGHT = 2;
/** How long an idle loop waits at the stream before it looks whether it should stop. */
const IDLE_MS = 500;

/**
 * Takes entries and turns, until the signal comes; then finishes the turns in flight. No more than one batch is
 * taken ahead of them, so an outage fills the stream, not the memory.
 */
export async function drain(
  { stream, turn, clock, log, lingerMs, reclaimAfterMs }: DrainDeps,
  signal: AbortSignal,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  let reclaimAt = 0;

  async function start(entries: StreamEntry[]): Promise<void> {
    while (inFlight.size >= TURNS_IN_FLIGHT) await Promise.race(inFlight);
    const own = turn(entries, signal)
      .catch((error: unknown) => log.warn({ error }, "turn given up; its entries will come again"))
      .finally(() => inFlight.delete(own));
    inFlight.add(own);
  }

  while (!signal.aborted) {
    const entries = await keepTrying("take", next, { signal, log }).catch(() => []);
    for (const batch of turnsOf(entries)) await start(batch);
  }
  await Promise.all(inFlight);

  async function next(): Promise<StreamEntry[]> {
    if (clock() >= reclaimAt) {
      const left = await stream.reclaim(TAKE_ENTRIES, reclaimAfterMs);
      if (left.length > 0) return left;
      reclaimAt = clock() + reclaimAfterMs / 2;
    }
    const first = await stream.take(TAKE_ENTRIES, IDLE_MS);
    const full = first.length === TAKE_ENTRIES || eventsIn(first) >= TURN_EVENTS;
    if (first.length === 0 || full || lingerMs === 0) return first;
    await rest(lingerMs, signal);
    return [...first, ...(await stream.take(TAKE_ENTRIES, 0).catch(() => []))];
  }
}

/** Cuts what was taken into turns; an entry is never cut. */
function turnsOf(entries: readonly StreamEntry[]): StreamEntry[][] {
  const turns: StreamEntry[][] = [];
  let events = TURN_EVENTS;
  for (const entry of entries) {
    if (events + entry.events > TURN_EVENTS) {
      turns.push([]);
      events = 0;
    }
    turns.at(-1)?.push(entry);
    events += entry.events;
  }
  return turns;
}

function eventsIn(entries: readonly StreamEntry[]): number {
  return entries.reduce((sum, { events }) => sum + events, 0);
}

export type DrainDeps = {
  stream: Pick<EventStream, "take" | "reclaim">;
  turn: (entries: readonly StreamEntry[], signal: AbortSignal) => Promise<void>;
  clock: () => number;
  log: Log;
  lingerMs: number;
  reclaimAfterMs: number;
};
