import type { Redis } from "ioredis";
import { backlogKey, deadStream, eventStream, ingestGroup } from "../db/redis/keys.ts";
import {
  appendEntries,
  dropSilentConsumers,
  replayEntry,
  settleEntries,
} from "../db/redis/stream-scripts.ts";
import { runScript, runScripts, type ScriptCall } from "./redis.ts";

/** An entry as it sits in the stream: its payload is JSON that nobody has looked at yet. */
export type StreamEntry = { id: string; payload: string; events: number };

/** What is set aside: a payload that no code can apply, why, and the entry that it came in. */
export type Poison = { payload: string; events: number; reason: string; entryId: string };

export type QuarantinedEntry = StreamEntry & { reason: string };

/** How long a consumer is silent before its name is forgotten; it holds no entries then. */
const FORGET_CONSUMER_MS = 3_600_000;
const REPLICA_TIMEOUT_MS = 1_000;
/** Entries that one command takes or lets go of, so that none holds Redis for long. */
const AT_ONCE = 2_000;

/**
 * The event stream: the only file that speaks Redis Streams.
 *
 * Entries are delivered to one consumer of the group at a time, stay pending until they are settled, and are
 * deleted with their acknowledgement, so that the stream's length is the backlog.
 */
export function eventStreamOn(
  redis: Redis,
  blocking: Redis,
  options: { consumer: string; replicas: number },
) {
  const { consumer, replicas } = options;
  const streamKeys = [eventStream, backlogKey];
  const settleKeys = [eventStream, backlogKey, deadStream];

  /**
   * Appends entries, each whole or not at all; false for one that would take the backlog past its limit.
   *
   * @throws when Redis, or as many replicas as were asked for, did not confirm: nothing is known then.
   */
  async function append(
    entries: readonly { payload: string; events: number }[],
    limit: number,
  ): Promise<boolean[]> {
    const args = entries.flatMap(({ payload, events }) => [events, payload]);
    // On one connection WAIT covers the append that was written before it.
    const appended = runScript(redis, appendEntries, streamKeys, [limit, ...args]);
    const ids = (await appended) as string[];
    if (replicas > 0 && (await redis.wait(replicas, REPLICA_TIMEOUT_MS)) < replicas) {
      throw new Error(`fewer than ${replicas} replicas hold the entry`);
    }
    return ids.map((id) => id !== "");
  }

  /** Takes up to so many new entries: waits up to `blockMs` for the first, then takes what is there. */
  async function take(max: number, blockMs: number): Promise<StreamEntry[]> {
    const first = await withGroup(() => read(blocking, Math.min(max, AT_ONCE), ["BLOCK", blockMs]));
    if (first.length < AT_ONCE || first.length === max) return first;
    const more: Promise<StreamEntry[]>[] = [];
    for (let left = max - AT_ONCE; left > 0; left -= AT_ONCE) {
      // What a failed read took comes again; what the others took must not wait for that.
      more.push(read(redis, Math.min(left, AT_ONCE)).catch(() => []));
    }
    return [first, ...(await Promise.all(more))].flat();
  }

  async function read(from: Redis, count: number, wait: (string | number)[] = []): Promise<StreamEntry[]> {
    const reply = await from.call(
      "XREADGROUP",
      ...["GROUP", ingestGroup, consumer, "COUNT", count, ...wait, "STREAMS", eventStream, ">"],
    );
    const streams = reply as [string, RawEntry[]][] | null;
    return streams?.flatMap(([, entries]) => entries.map(streamEntry)) ?? [];
  }

  /** Takes over entries that a consumer took and has not settled for so long; its name goes when it holds none. */
  async function reclaim(max: number, idleMs: number): Promise<StreamEntry[]> {
    return await withGroup(async () => {
      const reply = await redis.call(
        "XAUTOCLAIM",
        ...[eventStream, ingestGroup, consumer, idleMs, "0-0", "COUNT", Math.min(max, AT_ONCE)],
      );
      const [, entries] = reply as [string, RawEntry[]];
      await runScript(redis, dropSilentConsumers, [eventStream], [ingestGroup, FORGET_CONSUMER_MS]);
      return entries.map(streamEntry);
    });
  }

  /** Lets go of entries, and sets aside what was poisonous in them, each with its poison in one step. */
  async function settle(entries: readonly StreamEntry[], poison: readonly Poison[]): Promise<void> {
    const poisonOf = Map.groupBy(poison, ({ entryId }) => entryId);
    const calls: ScriptCall[] = [];
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      const some = entries.slice(at, at + AT_ONCE);
      const theirs = some.flatMap(({ id }) => poisonOf.get(id) ?? []);
      const args: (string | number)[] = [ingestGroup, theirs.length];
      for (const { payload, events, reason } of theirs) args.push(payload, events, reason);
      for (const { id, events } of some) args.push(id, events);
      calls.push({ keys: settleKeys, args });
    }
    const outcomes = await runScripts(redis, settleEntries, calls);
    for (const outcome of outcomes) if (outcome instanceof Error) throw outcome;
  }

  /** What is in quarantine, oldest first. */
  async function quarantined(max: number): Promise<QuarantinedEntry[]> {
    const entries = await redis.xrange(deadStream, "-", "+", "COUNT", max);
    return entries.map((entry) => ({ ...streamEntry(entry), reason: fieldOf(entry[1], "reason") }));
  }

  /** Puts a quarantined entry back into the stream. @returns whether it was there. */
  async function replay(id: string): Promise<boolean> {
    return (await runScript(redis, replayEntry, settleKeys, [id])) === 1;
  }

  /** Throws a quarantined entry away. @returns whether it was there. */
  async function drop(id: string): Promise<boolean> {
    return (await redis.xdel(deadStream, id)) === 1;
  }

  async function withGroup<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOGROUP"))) throw error;
      await redis.xgroup("CREATE", eventStream, ingestGroup, "0", "MKSTREAM").catch(ignoreExistingGroup);
      return await work();
    }
  }

  /** How the stream stands at this moment. */
  async function standing(): Promise<Standing> {
    const pipeline = redis.pipeline();
    pipeline.get(backlogKey);
    pipeline.xlen(eventStream);
    pipeline.xrange(eventStream, "-", "+", "COUNT", 1);
    pipeline.xlen(deadStream);
    pipeline.xpending(eventStream, ingestGroup);
    const replies = (await pipeline.exec()) ?? [];
    const [events, entries, oldest, quarantined, pending] = replies.map(([error, reply]) => {
      if (error && !error.message.startsWith("NOGROUP")) throw error;
      return reply;
    });
    const [first] = oldest as RawEntry[];
    return {
      events: Number(events ?? 0),
      entries: Number(entries),
      oldestAt: first ? Number(first[0].split("-")[0]) : null,
      quarantined: Number(quarantined),
      pending: Number((pending as [number] | undefined)?.[0] ?? 0),
    };
  }

  /** The newest entry that ever was. */
  async function newest(): Promise<string> {
    try {
      const its = (await redis.call("XINFO", "STREAM", eventStream)) as unknown[];
      return String(its[its.indexOf("last-generated-id") + 1]);
    } catch (error) {
      if (error instanceof Error && /no such key/i.test(error.message)) return "0-0";
      throw error;
    }
  }

  /** Is everything up to this entry let go of? */
  async function isDrained(upTo: string): Promise<boolean> {
    return (await redis.xrange(eventStream, "-", upTo, "COUNT", 1)).length === 0;
  }

  return { append, take, reclaim, settle, quarantined, replay, drop, standing, newest, isDrained };
}

export type Standing = {
  /** What waits, in events and in entries; what is in flight is part of it. */
  events: number;
  entries: number;
  /** When the oldest of them was accepted, by the clock of Redis; null when none waits. */
  oldestAt: number | null;
  /** Entries that somebody took and has not let go of. */
  pending: number;
  quarantined: number;
};

export type EventStream = ReturnType<typeof eventStreamOn>;

type RawEntry = [id: string, fields: string[] | null];

function streamEntry([id, fields]: RawEntry): StreamEntry {
  return { id, payload: fieldOf(fields, "entry"), events: Number(fieldOf(fields, "events")) || 1 };
}

function fieldOf(fields: readonly string[] | null, name: string): string {
  const at = fields?.indexOf(name) ?? -1;
  return at < 0 ? "" : (fields?.[at + 1] ?? "");
}

function ignoreExistingGroup(error: Error): void {
  if (!error.message.startsWith("BUSYGROUP")) throw error;
}
