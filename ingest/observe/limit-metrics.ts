import { Counter, type Registry } from "prom-client";

export type LimitMetrics = {
  /** A write was refused, because its user asks too often. */
  limited: () => void;
  /** A write could not be counted, and went through. */
  limitFailed: () => void;
};

/** How often users write too often. */
export function limitMetrics(registry: Registry): LimitMetrics {
  const registers = [registry];
  const limited = new Counter({
    ...{ name: "playhead_limited_total", registers },
    help: "Writes refused with 429, because their user asks too often",
  });
  const failed = new Counter({
    ...{ name: "playhead_rate_limit_failed_total", registers },
    help: "Writes that could not be counted against the limit of their user, and went through",
  });
  return { limited: () => limited.inc(), limitFailed: () => failed.inc() };
}
