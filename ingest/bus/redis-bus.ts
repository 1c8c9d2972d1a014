import type { Redis } from "ioredis";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import { busStream } from "../../db/redis/keys.ts";

/** Events that one round trip publishes, so that none holds Redis for long. */
const AT_ONCE = 500;

/** Where domain events go. Whoever publishes again after a failure repeats ids: a consumer goes by them. */
export type Bus = {
  /** Resolves once every one of them is on the bus. @throws when that is not known of one of them. */
  publish: (events: readonly CloudEvent[]) => Promise<void>;
};

/**
 * Domain events in a stream of Redis, each as JSON in the field `event`.
 *
 * @param keep how many stay there, at least; older ones are trimmed away, read or not.
 */
export function redisBus(redis: Redis, { keep }: { keep: number }): Bus {
  async function publish(events: readonly CloudEvent[]): Promise<void> {
    for (let at = 0; at < events.length; at += AT_ONCE) {
      const pipeline = redis.pipeline();
      for (const event of events.slice(at, at + AT_ONCE)) {
        pipeline.xadd(busStream, "MAXLEN", "~", keep, "*", "event", JSON.stringify(event));
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    }
  }
  return { publish };
}
