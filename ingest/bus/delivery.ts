import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Log } from "../observe/log.ts";
import { connectRedis } from "../redis.ts";
import { busGroup } from "./bus-group.ts";
import type { BusConfig } from "./config.ts";
import { forward, type Target } from "./forward.ts";
import { kafkaTarget } from "./kafka.ts";
import type { BusMetrics } from "./metrics.ts";
import { tendBusAlways } from "./tend.ts";
import { webhookTarget } from "./webhook.ts";

/** Brings what is on the bus to the targets that are configured, and keeps the bus in bounds. */
export function busDelivery(config: BusConfig, deps: DeliveryDeps) {
  const { redis, redisUrl, metrics, log, reclaimAfterMs } = deps;
  const clock = Date.now;
  const targets: Target[] = [
    ...(config.kafka ? [kafkaTarget(config.kafka)] : []),
    ...(config.webhook ? [webhookTarget(config.webhook, { clock })] : []),
  ];
  const consumer = `ingest-${randomUUID()}`;
  const forwarders = targets.map((target) => {
    const blocking = connectRedis(redisUrl);
    const group = busGroup(redis, blocking, { group: target.name, consumer, keep: config.keep });
    return { target, group, blocking };
  });

  return {
    /** Until the signal. */
    async work(signal: AbortSignal): Promise<void> {
      const names = targets.map(({ name }) => name);
      await Promise.all([
        tendBusAlways({ redis, keep: config.keep, targets: names, metrics, log }, signal),
        ...forwarders.map(({ target, group }) =>
          forward({ target, group, metrics, clock, log, reclaimAfterMs }, signal),
        ),
      ]);
    },
    async close(): Promise<void> {
      for (const { blocking } of forwarders) blocking.disconnect();
      await Promise.all(targets.map((target) => target.close()));
    },
  };
}

type DeliveryDeps = {
  redis: Redis;
  /** Of the same Redis: each target waits for events on a connection of its own. */
  redisUrl: string;
  metrics: BusMetrics;
  log: Log;
  reclaimAfterMs: number;
};
