import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { applyRows, evictUser } from "../../db/redis/history-scripts.ts";
import { historyKeys, recordPrefix } from "../../db/redis/keys.ts";
import { packProgress, packRecord } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { runScript, runScripts, type ScriptCall } from "../redis.ts";

/** Rows a script takes at once, so that no script holds Redis for long. */
const CHUNK = 500;

/** What is projected: current rows, and up to when whom a history was cleared. */
export type Projection = {
  rows: readonly HistoryRow[];
  cleared: ReadonlyMap<UserId, number>;
};

/**
 * Makes rows visible, one atomic script a user, all in one round trip. Redis keeps the higher rev, so this may
 * race with any other projection, and repeating it changes nothing. Cold users are left cold.
 *
 * A view that Redis itself cannot read (somebody wrote another type there) is evicted and refilled from
 * Postgres by its next read.
 *
 * @throws when Redis is away or refuses for a reason of its own: try again.
 */
export async function project(
  { redis, historyLimit }: ProjectDeps,
  { rows, cleared }: Projection,
): Promise<void> {
  let calls = callsFor(rows, cleared, historyLimit);
  while (calls.length > 0) {
    const outcomes = await runScripts(redis, applyRows, calls);
    const again: UserCall[] = [];
    for (const [index, call] of calls.entries()) {
      const outcome = outcomes[index];
      if (outcome instanceof Error) {
        if (!isUnreadable(outcome)) throw outcome;
        await evict(redis, call.user);
      } else if (typeof outcome === "number" && outcome > 0) {
        again.push({ ...call, args: call.args.slice(0, 3) });
      }
    }
    calls = again;
  }
}

/** The user is cold from here on: the next read refills. */
export async function evict(redis: Redis, user: UserId): Promise<void> {
  try {
    await runScript(redis, evictUser, historyKeys(user), [recordPrefix(user)]);
  } catch (error) {
    if (!(error instanceof Error && isUnreadable(error))) throw error;
    await redis.del(...historyKeys(user));
  }
}

function callsFor(
  rows: readonly HistoryRow[],
  cleared: ReadonlyMap<UserId, number>,
  historyLimit: number,
): UserCall[] {
  const newest = new Map<UserId, Map<string, HistoryRow>>();
  for (const user of cleared.keys()) newest.set(user, new Map());
  for (const row of rows) {
    const items = newest.get(row.user_id) ?? new Map<string, HistoryRow>();
    newest.set(row.user_id, items);
    const known = items.get(row.content_id);
    if (!known || known.rev < row.rev) items.set(row.content_id, row);
  }
  return [...newest].flatMap(([user, items]) => {
    const head = [recordPrefix(user), cleared.get(user) ?? 0, historyLimit];
    const all = [...items.values()];
    const keys = historyKeys(user);
    const calls: UserCall[] = [];
    for (let at = 0; at === 0 || at < all.length; at += CHUNK) {
      calls.push({ user, keys, args: [...head, ...all.slice(at, at + CHUNK).flatMap(itemArgs)] });
    }
    return calls;
  });
}

function itemArgs(row: HistoryRow): (string | number)[] {
  return [row.content_id, row.rev, row.position_at, packProgress(row), packRecord(row)];
}

/** The keys of a view hold something else than what we put there. */
function isUnreadable(error: Error): boolean {
  return error.message.startsWith("WRONGTYPE") || /^ERR .*user_script/.test(error.message);
}

export type ProjectDeps = { redis: Redis; historyLimit: number };
type UserCall = ScriptCall & { user: UserId };
