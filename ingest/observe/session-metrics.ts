import { Counter, Histogram, type Registry } from "prom-client";

/** How a playback session began: where its viewer left off, from the start, or not knowing which. */
export type SessionStart = { outcome: "resumed"; at: number } | { outcome: "from the start" | "unknown" };

export type SessionMetrics = { sessionStarted: (start: SessionStart) => void };

const POSITIONS = [60, 300, 600, 1_200, 1_800, 3_600, 5_400, 7_200, 14_400];

export function sessionMetrics(registry: Registry): SessionMetrics {
  const registers = [registry];
  const started = new Counter({
    ...{ name: "playhead_sessions_started_total", registers, labelNames: ["resume"] },
    help: "Playback sessions by how they began: resumed, from the start, or unknown while the history is away",
  });
  const resumedAt = new Histogram({
    ...{ name: "playhead_session_resume_position_seconds", registers, buckets: POSITIONS },
    help: "Where resumed sessions began",
  });
  return {
    sessionStarted(start) {
      started.inc({ resume: start.outcome.replaceAll(" ", "_") });
      if (start.outcome === "resumed") resumedAt.observe(start.at);
    },
  };
}
