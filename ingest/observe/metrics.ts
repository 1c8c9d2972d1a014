import { Counter, Histogram, Registry } from "prom-client";
import { type PartyMetrics, partyMetrics } from "./metrics-party.ts";

/** What is done to make a history update durable and visible. */
export type Step = "append" | "apply" | "store" | "project" | "publish" | "settle";

/** How a playback session began: where its viewer left off, from the start, or not knowing which. */
export type SessionStart = { outcome: "resumed"; at: number } | { outcome: "from the start" | "unknown" };

export type Metrics = {
  sessionStarted: (start: SessionStart) => void;
  /** Times a step of a history update, and counts it when it fails. */
  measure: <T>(step: Step, work: () => Promise<T>) => Promise<T>;
  /** Updates that failed though their step did not: refused, or set aside for a person. */
  failed: (step: Step | "quarantine", updates: number) => void;
  party: PartyMetrics;
  /** All of it as Prometheus reads it. */
  text: () => Promise<{ type: string; body: string }>;
};

/** From a fsync to the patience of a client. */
const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const POSITIONS = [60, 300, 600, 1_200, 1_800, 3_600, 5_400, 7_200, 14_400];

/** What this process counts. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const started = new Counter({
    ...{ name: "playhead_sessions_started_total", registers, labelNames: ["resume"] },
    help: "Playback sessions by how they began: resumed, from the start, or unknown while the history is away",
  });
  const resumedAt = new Histogram({
    ...{ name: "playhead_session_resume_position_seconds", registers, buckets: POSITIONS },
    help: "Where resumed sessions began",
  });
  const seconds = new Histogram({
    ...{ name: "playhead_history_step_seconds", registers, labelNames: ["step"], buckets: LATENCIES },
    help: "How long the stores take: append (stream), store (Postgres), project (views), apply (both, for a request)",
  });
  const failed = new Counter({
    ...{ name: "playhead_history_updates_failed_total", registers, labelNames: ["step"] },
    help: "History updates that failed, by the step: all but quarantine are tried again or told to the client",
  });

  return {
    sessionStarted(start) {
      started.inc({ resume: start.outcome.replaceAll(" ", "_") });
      if (start.outcome === "resumed") resumedAt.observe(start.at);
    },
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
    },
    party: partyMetrics(registry),
    text: async () => ({ type: registry.contentType, body: await registry.metrics() }),
  };
}
