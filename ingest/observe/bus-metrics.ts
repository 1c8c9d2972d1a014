import { Counter, Gauge, type Registry } from "prom-client";
import { EVENT_TYPES } from "../../db/contract/event-data.ts";
import type { BusMetrics, TargetName } from "../bus/metrics.ts";

const TARGETS: readonly TargetName[] = ["kafka", "webhook"];

/** What the bus counts. The gauges are of the shared stores: every ingest says the same. */
export function busMetrics(registry: Registry): BusMetrics {
  const registers = [registry];
  const published = new Counter({
    ...{ name: "playhead_events_published_total", registers, labelNames: ["type"] },
    help: "Domain events that this ingest put on the bus, each time it did",
  });
  const forwarded = new Counter({
    ...{ name: "playhead_events_forwarded_total", registers, labelNames: ["target"] },
    help: "Domain events that a target has taken from this ingest, each time it did",
  });
  const deadLettered = new Counter({
    ...{ name: "playhead_events_dead_lettered_total", registers, labelNames: ["target"] },
    help: "Domain events that a target will not have, set aside",
  });
  const waiting = new Gauge({
    ...{ name: "playhead_events_waiting", registers, labelNames: ["target"] },
    help: "Domain events on the bus that a target does not have yet",
  });
  const outbox = new Gauge({
    ...{ name: "playhead_outbox_waiting", registers },
    help: "Domain events that are committed and not on the bus yet, counted up to 10,000",
  });
  for (const type of EVENT_TYPES) published.inc({ type }, 0);
  for (const target of TARGETS) {
    forwarded.inc({ target }, 0);
    deadLettered.inc({ target }, 0);
    waiting.set({ target }, 0);
  }
  return {
    eventsPublished: (type, events) => published.inc({ type }, events),
    eventsForwarded: (target, events) => forwarded.inc({ target }, events),
    eventsDeadLettered: (target, events) => deadLettered.inc({ target }, events),
    eventsWaiting: (target, events) => waiting.set({ target }, events),
    outboxWaiting: (events) => outbox.set(events),
  };
}
