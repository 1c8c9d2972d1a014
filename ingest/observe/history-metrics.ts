import { Counter, Histogram, type Registry } from "prom-client";
import { LATENCIES } from "./buckets.ts";

/** What is done to make a history update durable and visible. */
export type Step = "append" | "apply" | "store" | "project" | "publish" | "settle";

/** What a turn made of its events. */
export type TurnCounts = {
  events: number;
  /** What is left when events of the same item are collapsed to one change. */
  changes: number;
};

export type HistoryMetrics = {
  /** Times a step of a history update, and counts it when it fails. */
  measure: <T>(step: Step, work: () => Promise<T>) => Promise<T>;
  /** Updates that failed though their step did not: refused, or set aside for a person. */
  failed: (step: Step | "quarantine", updates: number) => void;
  /** Events that are durable from now on. */
  accepted: (events: number) => void;
  /** Times a turn and counts what it did; one that is given up counts nothing. */
  turned: (work: () => Promise<TurnCounts>) => Promise<void>;
  /** Changes of a turn that changed nothing. */
  unchanged: (changes: Unchanged) => void;
  /** A cold user was warmed, or the attempt ended otherwise. */
  refilled: () => void;
  /** An edge asks because Redis did not tell it, for this reason. */
  asked: (because: "cold" | "away") => void;
};

export type Unchanged = {
  /** The row is of a later instant. */
  stale: number;
  /** The row is of this very instant: the same event came before. */
  duplicate: number;
};

/** What the ring counts: from the stream to the views. */
export function historyMetrics(registry: Registry): HistoryMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    ...{ name: "playhead_history_step_seconds", registers, labelNames: ["step"], buckets: LATENCIES },
    help: "How long the stores take: append (stream), store (Postgres), project (views), apply (both, for a request)",
  });
  const failed = new Counter({
    ...{ name: "playhead_history_updates_failed_total", registers, labelNames: ["step"] },
    help: "History updates that failed, by the step: all but quarantine are tried again or told to the client",
  });
  const turn = new Histogram({
    ...{ name: "playhead_turn_seconds", registers, buckets: LATENCIES },
    help: "How long turns of the drain take, from decoding to the acknowledgement",
  });
  const counter = (name: string, help: string) =>
    new Counter({ name: `playhead_${name}_total`, help, registers });
  const accepted = counter("history_events_accepted", "Events that this ingest made durable");
  const drained = counter(
    "history_events_drained",
    "Events of turns that were finished, each time they came",
  );
  const folded = counter(
    "history_events_folded",
    "Events of turns that another event of the turn made needless",
  );
  const stale = counter(
    "history_events_stale",
    "Changes that changed nothing: the row is of a later instant",
  );
  const duplicate = counter(
    "history_events_duplicate",
    "Changes that changed nothing: the row is of that very instant",
  );
  const quarantined = counter("history_events_quarantined", "Events that no code could apply, set aside");
  const refills = counter("refills", "Cold users whose views were made from Postgres");
  const misses = new Counter({
    ...{ name: "playhead_cache_misses_total", registers, labelNames: ["cache"] },
    help: "Reads that an edge could not answer: its view was cold (or does not hold so much), or Redis was away",
  });
  for (const cache of ["cold", "away"]) misses.inc({ cache }, 0);
  failed.inc({ step: "quarantine" }, 0);

  return {
    async measure(step, work) {
      const end = seconds.startTimer({ step });
      try {
        return await work();
      } catch (error) {
        failed.inc({ step });
        throw error;
      } finally {
        end();
      }
    },
    failed(step, updates) {
      if (updates > 0) failed.inc({ step }, updates);
      if (step === "quarantine") quarantined.inc(updates);
    },
    accepted: (events) => accepted.inc(events),
    async turned(work) {
      const end = turn.startTimer();
      const { events, changes } = await work();
      end();
      drained.inc(events);
      folded.inc(events - changes);
    },
    unchanged(its) {
      stale.inc(its.stale);
      duplicate.inc(its.duplicate);
    },
    refilled: () => refills.inc(),
    asked: (cache) => misses.inc({ cache }),
  };
}
