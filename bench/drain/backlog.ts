import type { Redis } from "ioredis";
import { deadStream, eventStream } from "../../db/redis/keys.ts";
import { appender } from "../../ingest/accept/appender.ts";
import { eventStreamOn } from "../../ingest/stream.ts";
import type { Running } from "../servers/process.ts";
import type { World } from "../servers/world.ts";
import { type Beat, entryOf } from "./heartbeats.ts";

/**
 * Requests that accept has in flight. What waits at one moment shares an entry of the stream, so this decides how
 * a backlog is cut: 64 events an entry is a burst, as when an outage ends or many viewers share one ingest (the
 * accept figure runs with four times as many). The plain worker's stream has its messages one by one.
 */
const REQUESTS_AT_ONCE = 64;

/** Longer than the drain waits at an empty stream: a question that was under way is answered and over. */
const QUIET_MS = 600;

/**
 * The drain over a backlog: ingest stands still while the stream is filled as accept fills it, goes on, and is
 * timed until the stream is empty, which is when everything is durable, visible and acknowledged.
 *
 * @returns events a second.
 */
export async function drained(world: World, ingest: Running, beats: readonly Beat[]): Promise<number> {
  ingest.pause();
  let start: number;
  try {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    await fill(world.redis, beats);
    start = performance.now();
  } finally {
    ingest.resume();
  }
  await emptied(world.redis);
  const seconds = (performance.now() - start) / 1_000;
  if ((await world.redis.xlen(deadStream)) > 0)
    throw new Error("the drain put events of the bench into quarantine");
  return beats.length / seconds;
}

/** Puts the heartbeats into the stream by accept's own code, as so many requests at a time would. */
async function fill(redis: Redis, beats: readonly Beat[]): Promise<void> {
  const stream = eventStreamOn(redis, redis, { consumer: "bench", replicas: 0 });
  const append = appender(stream, Number.MAX_SAFE_INTEGER);
  for (let at = 0; at < beats.length; at += REQUESTS_AT_ONCE) {
    await Promise.all(beats.slice(at, at + REQUESTS_AT_ONCE).map((beat) => append(entryOf(beat))));
  }
}

/** Until the stream is empty: an entry leaves it with its acknowledgement. */
export async function emptied(redis: Redis): Promise<void> {
  while ((await redis.xlen(eventStream)) > 0) await new Promise((resolve) => setTimeout(resolve, 3));
}
