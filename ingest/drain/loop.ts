import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { EventStream, StreamEntry } from "../stream.ts";

/** A turn is as large as this when so much waits: the larger, the more events fold into one row. */
const TURN_EVENTS = 20_000;
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
  /** Entries may carry many events each: how many they did last time says how many to take. */
  let eventsPerEntry = 10;

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
    const max = Math.max(1, Math.floor(TURN_EVENTS / eventsPerEntry));
    const taken = await takeSome(max);
    if (taken.length > 0) eventsPerEntry = Math.max(1, eventsIn(taken) / taken.length);
    return taken;
  }

  async function takeSome(max: number): Promise<StreamEntry[]> {
    if (clock() >= reclaimAt) {
      const left = await stream.reclaim(max, reclaimAfterMs);
      if (left.length > 0) return left;
      reclaimAt = clock() + reclaimAfterMs / 2;
    }
    const first = await stream.take(max, IDLE_MS);
    if (first.length === 0 || first.length === max || lingerMs === 0) return first;
    await rest(lingerMs, signal);
    return [...first, ...(await stream.take(max - first.length, 1).catch(() => []))];
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
