import type { Redis } from "ioredis";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import { profileUpdated } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { busGroup } from "../../ingest/bus/bus-group.ts";
import { forward, type Target } from "../../ingest/bus/forward.ts";
import type { BusMetrics } from "../../ingest/bus/metrics.ts";
import { redisBus } from "../../ingest/bus/redis-bus.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";

/** An event of a user that is told from others by its id. */
export function eventOf(user: string, id: string): CloudEvent {
  const profile = { user_id: user as UserId, name: null, avatar: null, preferences: {} };
  return profileUpdated(profile, { id, at: Date.UTC(2026, 0, 1) });
}

/** Counts, by a name that says what and of whom. */
export function countingMetrics(): BusMetrics & { counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const add = (name: string) => (of: string, events: number) =>
    void counts.set(`${name} ${of}`, (counts.get(`${name} ${of}`) ?? 0) + events);
  return {
    counts,
    eventsPublished: add("published"),
    eventsForwarded: add("forwarded"),
    eventsDeadLettered: add("dead"),
    eventsWaiting: (of, events) => void counts.set(`waiting ${of}`, events),
    outboxWaiting: (events) => void counts.set("outbox", events),
  };
}

/** Publishes as ingest does. */
export async function publish(redis: Redis, ...events: CloudEvent[]): Promise<void> {
  await redisBus(redis, countingMetrics()).publish(events);
}

let forwarders = 0;

/** A forwarder as an ingest has one, until it is stopped, or is gone without a word. */
export function forwarding(redisUrl: string, target: Target, { reclaimAfterMs = 500, keep = 1_000 } = {}) {
  const redis = connectRedis(redisUrl);
  const blocking = connectRedis(redisUrl);
  const over = new AbortController();
  const metrics = countingMetrics();
  const group = busGroup(redis, blocking, { group: target.name, consumer: `c${++forwarders}`, keep });
  const logged: string[] = [];
  const log = createLog("warn", { write: (line) => void logged.push(line) });
  const working = forward({ group, target, metrics, clock: Date.now, log, reclaimAfterMs }, over.signal);
  return {
    counts: metrics.counts,
    /** How often the target could not be reached. */
    failures: () => logged.filter((line) => line.includes("failed, trying again")).length,
    async stop(): Promise<void> {
      over.abort();
      await working;
      await target.close();
      redis.disconnect();
      blocking.disconnect();
    },
    /** It cannot say anything to Redis from now on, as if its process were gone. */
    cut(): void {
      redis.disconnect();
      blocking.disconnect();
    },
  };
}
