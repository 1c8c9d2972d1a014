import type { Redis } from "ioredis";
import { setEventAside } from "../../db/redis/bus-scripts.ts";
import { busStream, deadEvents } from "../../db/redis/keys.ts";
import { dropSilentConsumers } from "../../db/redis/stream-scripts.ts";
import { runScript } from "../redis.ts";
import { type BusEntry, busEntry, type RawEntry } from "./bus-entry.ts";
import type { TargetName } from "./metrics.ts";

/** How long a consumer is silent before its name is forgotten; it holds no entries then. */
const FORGET_CONSUMER_MS = 3_600_000;

/**
 * The bus as one target has it: a consumer group of its own. Entries are delivered to one consumer of it at a time and
 * stay its own until they are let go of. A group that is not there, or has been lost with its Redis, begins with
 * everything that the bus holds.
 */
export function busGroup(redis: Redis, blocking: Redis, { group, consumer, keep }: GroupOptions) {
  /** Takes up to so many new entries; waits up to `blockMs` for the first. */
  async function take(max: number, blockMs: number): Promise<BusEntry[]> {
    return await withGroup(async () => {
      const reply = await blocking.call(
        "XREADGROUP",
        ...["GROUP", group, consumer, "COUNT", max, "BLOCK", blockMs, "STREAMS", busStream, ">"],
      );
      const streams = reply as [string, RawEntry[]][] | null;
      return streams?.flatMap(([, entries]) => entries.map(busEntry)) ?? [];
    });
  }

  /** Takes over entries that nobody has touched for so long; the name of whoever holds none is forgotten. */
  async function reclaim(max: number, idleMs: number): Promise<BusEntry[]> {
    return await withGroup(async () => {
      const reply = await redis.call(
        "XAUTOCLAIM",
        ...[busStream, group, consumer, idleMs, "0-0", "COUNT", max],
      );
      const [, entries] = reply as [string, RawEntry[]];
      await runScript(redis, dropSilentConsumers, [busStream], [group, FORGET_CONSUMER_MS]);
      return entries.map(busEntry);
    });
  }

  /**
   * Says that these are still being worked on, so that nobody takes them over.
   *
   * @returns the ids of those that are still to be delivered: others were erased, or delivered by somebody else.
   */
  async function hold(entries: readonly BusEntry[]): Promise<Set<string>> {
    if (entries.length === 0) return new Set();
    const ids = entries.map(({ id }) => id);
    return new Set((await redis.call("XCLAIM", busStream, group, consumer, 0, ...ids, "JUSTID")) as string[]);
  }

  /** The target has them. */
  async function settle(entries: readonly BusEntry[]): Promise<void> {
    if (entries.length > 0) await redis.xack(busStream, group, ...entries.map(({ id }) => id));
  }

  /** The target will not have it. @returns false when somebody else had let go of it. */
  async function setAside({ id, user, event }: BusEntry, reason: string, at: number): Promise<boolean> {
    const args = [group, id, user, event, reason, at, keep];
    return (await runScript(redis, setEventAside, [busStream, deadEvents], args)) === 1;
  }

  async function withGroup<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOGROUP"))) throw error;
      await redis.xgroup("CREATE", busStream, group, "0", "MKSTREAM").catch(ignoreExistingGroup);
      return await work();
    }
  }

  return { take, reclaim, hold, settle, setAside };
}

export type BusGroup = ReturnType<typeof busGroup>;

function ignoreExistingGroup(error: Error): void {
  if (!error.message.startsWith("BUSYGROUP")) throw error;
}

type GroupOptions = {
  group: TargetName;
  consumer: string;
  /** How many events stay set aside, about: the oldest are dropped past it. */
  keep: number;
};
