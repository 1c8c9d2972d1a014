import type { Redis } from "ioredis";
import { busStream } from "../../db/redis/keys.ts";
import { type BusEntry, busEntry, namesOf, type RawEntry } from "./bus-entry.ts";

const AT_ONCE = 500;
const WAIT_MS = 1_000;

/** Which events; null for any. */
export type TailOptions = { from: "start" | "now"; type: string | null; user: string | null };

/** The events of the bus as they come, until the signal; none is taken from anybody. */
export async function* tail(
  redis: Redis,
  { from, type, user }: TailOptions,
  signal: AbortSignal,
): AsyncGenerator<BusEntry> {
  let last = from === "start" ? "0-0" : await newestId(redis);
  while (!signal.aborted) {
    const reply = await redis.call("XREAD", "COUNT", AT_ONCE, "BLOCK", WAIT_MS, "STREAMS", busStream, last);
    const streams = reply as [string, RawEntry[]][] | null;
    for (const raw of streams?.flatMap(([, entries]) => entries) ?? []) {
      const entry = busEntry(raw);
      last = entry.id;
      const isWanted =
        (user === null || entry.user === user) && (type === null || namesOf(entry)?.type === type);
      if (isWanted) yield entry;
    }
  }
}

async function newestId(redis: Redis): Promise<string> {
  const [newest] = await redis.xrevrange(busStream, "+", "-", "COUNT", 1);
  return newest?.[0] ?? "0-0";
}
