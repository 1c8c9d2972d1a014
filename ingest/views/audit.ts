import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { historyKeys, recordPrefix } from "../../db/redis/keys.ts";
import { packProgress, recordFields } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { rest } from "../keep-trying.ts";
import { type LoadedHistory, loadHistory } from "./load.ts";
import { isUnreadable } from "./project.ts";

/** One item that Redis shows otherwise than Postgres has it; null is "not there". */
export type Difference = {
  user: UserId;
  content: string;
  what: "order" | "progress" | "record" | "view";
  postgres: string | null;
  redis: string | null;
};

/** Between commit and projection lie milliseconds: a difference counts when it is still there after this. */
const SETTLE_MS = 250;
const LOOKS = 4;

/**
 * Compares the warm view of a user with Postgres. A cold user has nothing to compare: null.
 *
 * @returns the differences that stay; a turn in flight makes some that do not.
 */
export async function auditUser(deps: AuditDeps, user: UserId): Promise<Difference[] | null> {
  for (let look = 1; ; look++) {
    const found = await compare(deps, user).catch((error: unknown) => unreadable(user, error));
    if (found === null || found.length === 0 || look === LOOKS) return found;
    await rest(SETTLE_MS, AbortSignal.timeout(SETTLE_MS * 2));
  }
}

/** A view that Redis cannot even read differs as a whole. @throws whatever else went wrong. */
function unreadable(user: UserId, error: unknown): Difference[] {
  if (!isUnreadable(error)) throw error;
  return [{ user, content: "*", what: "view", postgres: "a view", redis: "keys of another type" }];
}

async function compare({ db, redis, historyLimit }: AuditDeps, user: UserId): Promise<Difference[] | null> {
  const [stateKey, orderKey, progressKey] = historyKeys(user);
  const state = await redis.hmget(stateKey, "warm", "cleared", "floor");
  if (state[0] === null) return null;
  const lowest = Math.max(Number(state[1] ?? 0), Number(state[2] ?? 0));

  const [loaded, order, progress] = await Promise.all([
    loadHistory(db, user, historyLimit),
    redis.zrange(orderKey, `(${lowest}`, "+inf", "BYSCORE", "WITHSCORES"),
    redis.hgetall(progressKey),
  ]);
  const scores = new Map(
    order.flatMap((id, at) => (at % 2 === 0 ? [[id, order[at + 1] ?? ""] as const] : [])),
  );
  const expected = expectedOf(loaded, lowest);
  const contents = [...new Set([...expected.keys(), ...scores.keys()])];
  const records = await Promise.all(contents.map((content) => redis.hgetall(recordPrefix(user) + content)));

  return contents.flatMap((content, at) => {
    const row = expected.get(content);
    const sides = [
      ["order", row ? String(row.position_at) : null, scores.get(content) ?? null],
      ["progress", row ? packProgress(row) : null, scores.has(content) ? (progress[content] ?? null) : null],
      ["record", row ? canonical(recordFields(row)) : null, canonical(records[at] ?? {})],
    ] as const;
    return sides.flatMap(([what, postgres, redis]) =>
      postgres === redis ? [] : [{ user, content, what, postgres, redis }],
    );
  });
}

/** What Redis should show: the items above its floor. */
function expectedOf({ shown }: LoadedHistory, lowest: number): Map<string, HistoryRow> {
  return new Map(shown.filter((row) => row.position_at > lowest).map((row) => [row.content_id, row]));
}

function canonical(fields: Record<string, string>): string | null {
  const names = Object.keys(fields).sort();
  return names.length === 0 ? null : JSON.stringify(names.map((name) => [name, fields[name]]));
}

export type AuditDeps = { db: Database; redis: Redis; historyLimit: number };
