import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { deadStream } from "../../db/redis/keys.ts";

const AT_ONCE = 100;

/** Entries in quarantine, a page at a time. */
export async function* quarantinedEntries(redis: Redis): AsyncGenerator<[id: string, fields: string[]][]> {
  for (let from = "-"; ; ) {
    const entries = await redis.xrange(deadStream, from, "+", "COUNT", AT_ONCE);
    if (entries.length > 0) yield entries;
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < AT_ONCE) return;
    from = `(${last}`;
  }
}

/** What is in quarantine of a user, as far as anybody can tell whose it is. */
export async function* quarantinedOf(redis: Redis, user: UserId): AsyncGenerator<Part[]> {
  for await (const entries of quarantinedEntries(redis)) {
    yield entries.flatMap(([, fields]) => partsIn(fields).filter(({ user_id }) => user_id === user));
  }
}

/** Whatever a payload holds that says whose it is, or may. */
export function partsIn(fields: readonly string[]): Part[] {
  try {
    const parts: unknown = JSON.parse(fields[fields.indexOf("entry") + 1] ?? "");
    return Array.isArray(parts) ? parts.filter((part) => typeof part === "object" && part !== null) : [];
  } catch {
    return [];
  }
}

export type Part = { user_id?: unknown; events?: unknown };
