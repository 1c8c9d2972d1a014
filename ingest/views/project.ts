import type { Redis } from "ioredis";
import type { Content } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { packProgress } from "../../db/redis/records.ts";
import { ELSEWHERE } from "../../db/redis/view-scripts.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { runScripts, type ScriptCall } from "../redis.ts";
import type { ContentLookup } from "./contents.ts";
import { evict, isUnreadable } from "./evict.ts";
import { type ActiveIndex, type HistoryIndex, isIndexLost } from "./history-index.ts";

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
 * Makes rows visible, with what the catalogue says of them, each user at one instant, all in one round trip. Redis
 * keeps what is newer, so this may race with any other projection, and repeating it changes nothing. Cold users are
 * left cold, and who is in another index becomes cold.
 *
 * A view that Redis itself cannot read (somebody wrote another type there) is evicted and refilled from
 * Postgres by its next read.
 *
 * @returns who of them is in Redis.
 * @throws when Redis is away or refuses for a reason of its own: try again.
 */
export async function project(deps: ProjectDeps, { rows, cleared }: Projection): Promise<Set<UserId>> {
  const { redis, historyLimit, index, contents } = deps;
  const active = await index.current();
  const known = await contents(rows);
  const shown = new Set<UserId>();
  let calls = inCalls(sharesOf(rows, cleared), active.cluster ? 1 : USERS_AT_ONCE);
  while (calls.length > 0) {
    const outcomes = await runScripts(
      redis,
      active.scripts.applyRows,
      calls.map((share) => callFor(share, { active, known, historyLimit })),
    );
    const again: UserShare[][] = [];
    for (const [call, share] of calls.entries()) {
      const outcome = outcomes[call];
      if (Array.isArray(outcome)) {
        for (const [at, its] of share.entries()) {
          if (outcome[at] >= 0) shown.add(its.user);
          if (outcome[at] === ELSEWHERE) await evict(redis, its.user);
          else if (outcome[at] > 0) again.push([{ ...its, rows: [] }]); // a clear of very many items
        }
      } else if (isIndexLost(outcome)) {
        index.lost();
        throw outcome;
      } else if (!isUnreadable(outcome)) throw outcome;
      else if (share.length > 1) again.push(...share.map((its) => [its]));
      else for (const { user } of share) await evict(redis, user);
    }
    calls = again;
  }
  return shown;
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
function inCalls(shares: readonly UserShare[], usersAtOnce: number): UserShare[][] {
  const calls: UserShare[][] = [];
  let rows = ROWS_AT_ONCE;
  for (const share of shares) {
    const last = calls.at(-1);
    if (last === undefined || last.length === usersAtOnce || rows + share.rows.length > ROWS_AT_ONCE) {
      calls.push([share]);
      rows = share.rows.length;
    } else {
      last.push(share);
      rows += share.rows.length;
    }
  }
  return calls;
}

/** A record that many users share is sent once. */
function callFor(share: readonly UserShare[], { active, known, historyLimit }: CallContext): ScriptCall {
  const records: string[] = [];
  const recordOf = new Map<ContentId, number>();
  const items: (string | number)[] = [];
  for (const { user, cleared, rows } of share) {
    items.push(user, active.model.prefix(user), cleared, rows.length);
    for (const row of rows) {
      const content = known.get(row.content_id) ?? null;
      let number = recordOf.get(row.content_id);
      if (number === undefined) {
        const record = content && active.recordOf(content);
        number = record === null ? 0 : records.push(record);
        recordOf.set(row.content_id, number);
      }
      items.push(row.content_id, packProgress(row, content), number);
    }
  }
  const keys = share.flatMap(({ user }) => historyKeys(user));
  return { keys, args: [historyLimit, records.length, ...records, ...items] };
}

type CallContext = { active: ActiveIndex; known: ReadonlyMap<ContentId, Content>; historyLimit: number };

export type ProjectDeps = {
  redis: Redis;
  historyLimit: number;
  index: HistoryIndex;
  contents: ContentLookup;
};
