import type { Redis } from "ioredis";
import { tendBus } from "../../db/redis/bus-scripts.ts";
import { busStream } from "../../db/redis/keys.ts";
import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";
import type { BusMetrics, TargetName } from "./metrics.ts";

/** Between two rounds. */
const REST_MS = 1_000;
/** Events that are trimmed together, so that no script holds Redis for long. */
const AT_ONCE = 10_000;

/** Trims the bus once. @returns how many events went, which may be fewer than could. */
export async function tend({ redis, keep, targets, metrics }: TendDeps): Promise<number> {
  const reply = await runScript(redis, tendBus, [busStream], [keep, AT_ONCE, ...targets]);
  const [trimmed = 0, ...waiting] = reply as number[];
  for (const [at, target] of targets.entries()) metrics.eventsWaiting(target, waiting[at] ?? 0);
  return trimmed;
}

/**
 * Keeps the bus at about so many events, until the signal. What a target does not have yet is not trimmed, however
 * much it is. Any number of ingests may do this at once.
 */
export async function tendBusAlways(deps: TendDeps & { log: Log }, signal: AbortSignal): Promise<void> {
  async function round(): Promise<void> {
    while (!signal.aborted && (await tend(deps)) > AT_ONCE / 2);
  }
  while (!signal.aborted) {
    await keepTrying("tend the bus", round, { signal, log: deps.log }).catch(() => {});
    await rest(REST_MS, signal);
  }
}

export type TendDeps = {
  redis: Redis;
  /** How many events stay at least, for readers of their own. */
  keep: number;
  targets: readonly TargetName[];
  metrics: Pick<BusMetrics, "eventsWaiting">;
};
