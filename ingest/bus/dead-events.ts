import type { Redis } from "ioredis";
import { replayEvent } from "../../db/redis/bus-scripts.ts";
import { busStream, deadEvents } from "../../db/redis/keys.ts";
import { runScript } from "../redis.ts";
import { type BusEntry, busEntry, fieldOf } from "./bus-entry.ts";

/** An event that a target would not have: why, and when it was set aside (epoch milliseconds). */
export type DeadEvent = BusEntry & { target: string; reason: string; at: number };

/** What was set aside, oldest first. */
export async function deadEventsIn(redis: Redis, max: number): Promise<DeadEvent[]> {
  const entries = await redis.xrange(deadEvents, "-", "+", "COUNT", max);
  return entries.map((entry) => ({
    ...busEntry(entry),
    target: fieldOf(entry[1], "target"),
    reason: fieldOf(entry[1], "reason"),
    at: Number(fieldOf(entry[1], "at")),
  }));
}

/** Puts an event on the bus again: every target and every reader has it again, under its id. @returns whether it was there. */
export async function replayDeadEvent(redis: Redis, id: string): Promise<boolean> {
  return (await runScript(redis, replayEvent, [busStream, deadEvents], [id])) === 1;
}
