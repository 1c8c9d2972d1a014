import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { applyRows, evictUser } from "../../db/redis/history-scripts.ts";
import { historyKeys, recordPrefix } from "../../db/redis/keys.ts";
import { packCatalogue, packProgress } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { runScript, runScripts, type ScriptCall } from "../redis.ts";

/** Rows a script takes at once, so that no script holds Redis for long. */
const ROWS_AT_ONCE = 250;
/** `historyKeys` of more users in one script would be no cheaper, and none may wait long for another. */
const USERS_AT_ONCE = 100;

/** What is projected: current rows, and up to when whom a history was cleared. */
export type Projection = {
  rows: readonly HistoryRow[];
  cleared: ReadonlyMap<UserId, number>;
};

/**
 * Makes rows visible, each user at one instant, all in one round trip. Redis keeps the higher rev, so this may
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
  let calls = inCalls(sharesOf(rows, cleared));
  while (calls.length > 0) {
    const outcomes = await runScripts(
      redis,
      applyRows,
      calls.map((share) => callFor(share, historyLimit)),
    );
    const again: UserShare[][] = [];
    for (const [index, share] of calls.entries()) {
      const outcome = outcomes[index];
      if (Array.isArray(outcome)) again.push(share.flatMap((its, at) => unfinished(its, outcome[at])));
      else if (!isUnreadable(outcome)) throw outcome;
      else if (share.length > 1) again.push(...share.map((its) => [its]));
      else for (const { user } of share) await evict(redis, user);
    }
    calls = again.filter((share) => share.length > 0);
  }
}

/** The user is cold from here on: the next read refills. */
export async function evict(redis: Redis, user: UserId): Promise<void> {
  try {
    await runScript(redis, evictUser, historyKeys(user), [recordPrefix(user)]);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    await redis.del(...historyKeys(user));
  }
}

/** What one script call does for one user. */
type UserShare = { user: UserId; cleared: number; rows: readonly HistoryRow[] };

/** Of several rows of one item only the newest rev is projected; a user with many rows has several shares. */
function sharesOf(rows: readonly HistoryRow[], cleared: ReadonlyMap<UserId, number>): UserShare[] {
  const newest = new Map<UserId, Map<string, HistoryRow>>();
  for (const user of cleared.keys()) newest.set(user, new Map());
  for (const row of rows) {
    const items = newest.get(row.user_id) ?? new Map<string, HistoryRow>();
    newest.set(row.user_id, items);
    const known = items.get(row.content_id);
    if (!known || known.rev < row.rev) items.set(row.content_id, row);
  }
  return [...newest].flatMap(([user, items]) => {
    const all = [...items.values()];
    const shares: UserShare[] = [];
    for (let at = 0; at === 0 || at < all.length; at += ROWS_AT_ONCE) {
      shares.push({ user, cleared: cleared.get(user) ?? 0, rows: all.slice(at, at + ROWS_AT_ONCE) });
    }
    return shares;
  });
}

/** Shares that go together in one script call. */
function inCalls(shares: readonly UserShare[]): UserShare[][] {
  const calls: UserShare[][] = [];
  let rows = ROWS_AT_ONCE;
  for (const share of shares) {
    const last = calls.at(-1);
    if (last === undefined || last.length === USERS_AT_ONCE || rows + share.rows.length > ROWS_AT_ONCE) {
      calls.push([share]);
      rows = share.rows.length;
    } else {
      last.push(share);
      rows += share.rows.length;
    }
  }
  return calls;
}

function callFor(share: readonly UserShare[], historyLimit: number): ScriptCall {
  const args: (string | number)[] = [historyLimit];
  for (const { user, cleared, rows } of share) {
    args.push(user, recordPrefix(user), cleared, rows.length);
    for (const row of rows) args.push(row.content_id, packProgress(row), packCatalogue(row));
  }
  return { keys: share.flatMap(({ user }) => historyKeys(user)), args };
}

/** A clear of very many items takes several calls. */
function unfinished(share: UserShare, left: unknown): UserShare[] {
  return typeof left === "number" && left > 0 ? [{ ...share, rows: [] }] : [];
}

/** The keys of a view hold something else than what we put there. */
export function isUnreadable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.startsWith("WRONGTYPE") || /^ERR .*user_script/.test(error.message);
}

export type ProjectDeps = { redis: Redis; historyLimit: number };
