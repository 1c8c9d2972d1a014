import { Registry } from "prom-client";
import type { BusMetrics } from "../bus/metrics.ts";
import { busMetrics } from "./bus-metrics.ts";
import { type HistoryMetrics, historyMetrics } from "./history-metrics.ts";
import { type LimitMetrics, limitMetrics } from "./limit-metrics.ts";
import { type PartyMetrics, partyMetrics } from "./metrics-party.ts";
import { type RequestMetrics, requestMetrics } from "./request-metrics.ts";
import { type Scrape, scrapeGauges } from "./scrape.ts";
import { type SessionMetrics, sessionMetrics } from "./session-metrics.ts";

/** What this process counts, by subject, each in a file of its own. */
export type Metrics = HistoryMetrics &
  BusMetrics &
  LimitMetrics &
  SessionMetrics &
  RequestMetrics & {
    party: PartyMetrics;
    watch: Scrape["watch"];
    /** All of it as Prometheus reads it. */
    text: () => Promise<{ type: string; body: string }>;
  };

/** Names begin with `playhead_`, units are seconds and pieces. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const scrape = scrapeGauges(registry);
  return {
    ...historyMetrics(registry),
    ...busMetrics(registry),
    ...limitMetrics(registry),
    ...sessionMetrics(registry),
    ...requestMetrics(registry),
    party: partyMetrics(registry),
    watch: scrape.watch,
    async text() {
      await scrape.look();
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}
