import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What this process counts of parties. */
export type PartyMetrics = {
  came: (members: number) => void;
  went: (members: number) => void;
  /** From a member's message to when it is on its way to everybody here. */
  broadcast: (ms: number) => void;
  /** Times a flush, and counts it when it fails. */
  flush: <T>(work: () => Promise<T>) => Promise<T>;
  /** Rooms that are open, and what waits for Postgres, of all processes together. */
  seen: (its: { rooms: number; buffered: number }) => void;
};

const BROADCASTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];
const FLUSHES = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

export function partyMetrics(registry: Registry): PartyMetrics {
  const registers = [registry];
  const joined = new Counter({
    ...{ name: "watch_party_joined_total", registers },
    help: "Members that came to a party, through this process",
  });
  const left = new Counter({
    ...{ name: "watch_party_left_total", registers },
    help: "Members that left, were sent away or were lost, through this process",
  });
  const latency = new Histogram({
    ...{ name: "watch_party_broadcast_latency_ms", registers, buckets: BROADCASTS },
    help: "From a message of a member to when it is on its way to everybody who is served here",
  });
  const flushed = new Histogram({
    ...{ name: "watch_party_flush_duration_ms", registers, buckets: FLUSHES },
    help: "How long it took to bring what waited of one party to Postgres",
  });
  const failed = new Counter({
    ...{ name: "watch_party_failed_flushes_total", registers },
    help: "Flushes that failed: what waits is kept, and flushed again",
  });
  const active = new Gauge({
    ...{ name: "watch_party_active_instances", registers },
    help: "Parties that are on or not wholly in Postgres, of all processes together",
  });
  const buffered = new Gauge({
    ...{ name: "watch_party_buffered_events_count", registers },
    help: "What happened in parties and waits for Postgres, of all processes together",
  });

  return {
    came: (members) => joined.inc(members),
    went: (members) => left.inc(members),
    broadcast: (ms) => latency.observe(ms),
    async flush(work) {
      const began = performance.now();
      try {
        return await work();
      } catch (error) {
        failed.inc();
        throw error;
      } finally {
        flushed.observe(performance.now() - began);
      }
    },
    seen: (its) => {
      active.set(its.rooms);
      buffered.set(its.buffered);
    },
  };
}
