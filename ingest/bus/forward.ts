import { keepTrying } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { type BusEntry, namesOf } from "./bus-entry.ts";
import type { BusGroup } from "./bus-group.ts";
import type { BusMetrics, TargetName } from "./metrics.ts";

/** How long an idle forwarder waits at the bus before it looks whether it should stop. */
const IDLE_MS = 500;

/** Where events are forwarded to. */
export type Target = {
  name: TargetName;
  /** How many it is given together. */
  atOnce: number;
  /**
   * Delivers events, those of one user in their order, and tells of each what became of it, as soon as that is known.
   * What it has told nothing of comes again.
   *
   * @throws when the target is out of reach: try again. Or when the signal came in the middle.
   */
  deliver: (entries: readonly BusEntry[], told: Told, signal: AbortSignal) => Promise<void>;
  close: () => Promise<void>;
};

export type Told = {
  /** The target has them. */
  taken: (entries: readonly BusEntry[]) => Promise<void>;
  /** It will never have this one. */
  refused: (entry: BusEntry, reason: string) => Promise<void>;
};

/**
 * Brings what is on the bus to a target, one batch at a time, until the signal; each event at least once. A target that
 * is slow or away holds up nothing but this, and Redis keeps what it has not had yet.
 */
export async function forward(deps: ForwardDeps, signal: AbortSignal): Promise<void> {
  const { group, target, metrics, clock, log, reclaimAfterMs } = deps;
  const name = `forward to ${target.name}`;
  let reclaimAt = 0;

  async function next(): Promise<BusEntry[]> {
    if (clock() >= reclaimAt) {
      const left = await group.reclaim(target.atOnce, reclaimAfterMs);
      if (left.length > 0) return left;
      reclaimAt = clock() + reclaimAfterMs / 2;
    }
    return await group.take(target.atOnce, IDLE_MS);
  }

  async function bring(entries: readonly BusEntry[]): Promise<void> {
    const left = new Set(entries);
    const told: Told = {
      async taken(some) {
        await group.settle(some);
        for (const entry of some) left.delete(entry);
        metrics.eventsForwarded(target.name, some.length);
      },
      async refused(entry, reason) {
        const first = await group.setAside(entry, reason, clock());
        left.delete(entry);
        if (first) metrics.eventsDeadLettered(target.name, 1);
        log.error({ target: target.name, reason }, "an event was set aside");
      },
    };
    /** An outage is long: what is erased meanwhile is not delivered after it. */
    const keepOnly = (ids: ReadonlySet<string>) => {
      for (const entry of left) if (!ids.has(entry.id)) left.delete(entry);
    };
    for (const entry of entries)
      if (namesOf(entry) === null) await told.refused(entry, "not an event of ours");
    const holding = setInterval(() => {
      group.hold([...left]).catch(() => {});
    }, reclaimAfterMs / 3);
    let again = false;
    const attempt = async () => {
      if (again) keepOnly(await group.hold([...left]));
      again = true;
      await target.deliver([...left], told, signal);
    };
    try {
      await keepTrying(name, attempt, { signal, log });
    } finally {
      clearInterval(holding);
    }
  }

  while (!signal.aborted) {
    const entries = await keepTrying(name, next, { signal, log }).catch(() => []);
    // Whatever is not settled comes again, to whoever looks first.
    if (entries.length > 0) await bring(entries).catch((error) => log.warn({ error }, `${name}: given up`));
  }
}

export type ForwardDeps = {
  group: BusGroup;
  target: Target;
  metrics: BusMetrics;
  clock: () => number;
  log: Log;
  /** Milliseconds after which entries of a silent consumer are taken over. */
  reclaimAfterMs: number;
};
