import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { eraseEvents, replaceEntry } from "../../db/redis/erase-scripts.ts";
import { deadStream } from "../../db/redis/keys.ts";
import { runScript } from "../redis.ts";
import { partsIn, quarantinedEntries } from "./quarantined.ts";

/** Entries that one script looks at, so that none holds Redis for long. */
const EVENTS_AT_ONCE = 500;

/** Domain events of a user in a stream, from an entry on. @returns how many there were. */
export async function eraseEventsIn(
  redis: Redis,
  stream: string,
  user: UserId,
  since: string,
): Promise<number> {
  let erased = 0;
  for (let from = since; from !== ""; ) {
    const reply = await runScript(redis, eraseEvents, [stream], [user, from, EVENTS_AT_ONCE]);
    const [next, gone] = reply as [string, number];
    erased += gone;
    from = next;
  }
  return erased;
}

/**
 * What is in quarantine of a user. What others did stays, as an entry of their own. Where nobody can tell whose it is, it
 * goes when it names the user: what cannot be read is nothing to keep.
 *
 * @returns how many entries there were.
 */
export async function eraseQuarantined(redis: Redis, user: UserId): Promise<number> {
  let erased = 0;
  for await (const entries of quarantinedEntries(redis)) {
    for (const [id, fields] of entries) {
      const left = withoutUser(fields, user);
      if (left === fields) continue;
      erased += (await runScript(redis, replaceEntry, [deadStream], [id, ...left])) as number;
    }
  }
  return erased;
}

/** The fields of an entry without what it holds of a user: the very same when that is nothing, none when it is all. */
export function withoutUser(fields: string[], user: UserId): string[] {
  const name = JSON.stringify(user);
  if (!fields.some((text) => text.includes(name))) return fields;
  const at = fields.indexOf("entry") + 1;
  const theirs = partsIn(fields).filter(({ user_id }) => user_id !== user);
  if (theirs.length === 0) return [];
  const events = theirs.reduce((sum, its) => sum + (Array.isArray(its.events) ? its.events.length : 1), 0);
  const left = fields.with(at, JSON.stringify(theirs)).with(fields.indexOf("events") + 1, String(events));
  return left.some((text) => text.includes(name)) ? [] : left;
}
