import type { Redis } from "ioredis";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import type { EventType } from "../../db/contract/event-data.ts";
import { publishEvents } from "../../db/redis/bus-scripts.ts";
import { busStream } from "../../db/redis/keys.ts";
import { runScripts, type ScriptCall } from "../redis.ts";
import type { BusMetrics } from "./metrics.ts";

/** Events that one script publishes, so that none holds Redis for long. */
const AT_ONCE = 500;

/** Where domain events go. Whoever publishes again after a failure repeats ids: a consumer goes by them. */
export type Bus = {
  /** Resolves once every one of them is on the bus, in their order. @throws when that is not known of one of them. */
  publish: (events: readonly CloudEvent[]) => Promise<void>;
};

/**
 * Domain events in a stream of Redis, each as JSON in the field `event`, beside its user in the field `user`. Targets
 * have them from there: none of them ever holds up a turn.
 */
export function redisBus(redis: Redis, metrics: Pick<BusMetrics, "eventsPublished">): Bus {
  return {
    async publish(events) {
      if (events.length === 0) return;
      const calls: ScriptCall[] = [];
      const counts = new Map<EventType, number>();
      for (let at = 0; at < events.length; at += AT_ONCE) {
        let lines = "";
        for (const event of events.slice(at, at + AT_ONCE)) {
          lines += `${event.subject}\n${JSON.stringify(event)}\n`;
          counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
        }
        calls.push({ keys: [busStream], args: [lines] });
      }
      for (const outcome of await runScripts(redis, publishEvents, calls)) {
        if (outcome instanceof Error) throw outcome;
      }
      for (const [type, count] of counts) metrics.eventsPublished(type, count);
    },
  };
}
