import type { Redis } from "ioredis";

/** What Redis counts of everything that was asked of it. */
export type Counters = {
  /** Scripts that clients called. */
  commands: number;
  /** Commands that scripts called. */
  inside: number;
  scriptMicroseconds: number;
  /** What came from clients, `own` of it to count. */
  bytes: number;
  diskBytes: number;
};

export async function countersOf(redis: Redis): Promise<Counters> {
  const info = await redis.info("all");
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]);
  const counters: Counters = {
    ...{ commands: 0, inside: 0, scriptMicroseconds: 0 },
    ...{ bytes: field("total_net_input_bytes"), diskBytes: field("aof_current_size") },
  };
  for (const [, name = "", calls, usec] of info.matchAll(/^cmdstat_(.+?):calls=(\d+),usec=(\d+)/gm)) {
    if (name === "info") continue;
    if (/^eval/.test(name)) {
      counters.commands += Number(calls);
      counters.scriptMicroseconds += Number(usec);
    } else counters.inside += Number(calls);
  }
  return counters;
}

/** What was counted between the two; `own` are the bytes of the second question itself. */
export function since(before: Counters, after: Counters): Counters & { own: number } {
  return {
    commands: after.commands - before.commands,
    inside: after.inside - before.inside,
    scriptMicroseconds: after.scriptMicroseconds - before.scriptMicroseconds,
    bytes: after.bytes - before.bytes,
    diskBytes: after.diskBytes - before.diskBytes,
    own: QUESTION.length,
  };
}

const QUESTION = "*2\r\n$4\r\ninfo\r\n$3\r\nall\r\n";
