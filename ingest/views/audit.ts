import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { packProgress, packRecord } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { rest } from "../keep-trying.ts";
import { runScript } from "../redis.ts";
import { auditIndex } from "./audit-index.ts";
import { isUnreadable } from "./evict.ts";
import { type LoadedHistory, loadHistory } from "./load.ts";
import type { ProjectDeps } from "./project.ts";

/** One item that Redis shows otherwise than Postgres has it; null is "not there". */
export type Difference = {
  user: UserId;
  content: string;
  what: "order" | "progress" | "record" | "index" | "view";
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

async function compare(deps: AuditDeps, user: UserId): Promise<Difference[] | null> {
  const { db, redis, historyLimit, index, contents } = deps;
  const { model, scripts } = await index.current();
  const [stateKey, orderKey, progressKey] = historyKeys(user);
  const [warm, cleared, floor] = await redis.hmget(stateKey, "warm", "cleared", "floor");
  if (warm === null) return null;
  const lowest = Math.max(Number(cleared ?? 0), Number(floor ?? 0));

  const [loaded, order, progress] = await Promise.all([
    loadHistory(db, user, historyLimit),
    redis.zrange(orderKey, `(${lowest}`, "+inf", "BYSCORE", "WITHSCORES"),
    redis.hgetall(progressKey),
  ]);
  const scores = new Map(
    order.flatMap((id, at) => (at % 2 === 0 ? [[id, order[at + 1] ?? ""] as const] : [])),
  );
  const expected = expectedOf(loaded, lowest);
  const known = await contents([...expected.values()]);
  const ids = [...new Set([...expected.keys(), ...scores.keys()])];
  const args = [model.prefix(user), ...ids];
  const [state, ...views] = (await runScript(redis, scripts.views, historyKeys(user), args)) as string[];
  if (state === "other") {
    return [{ user, content: "*", what: "view", postgres: model.name, redis: "made for another index" }];
  }

  const differences = ids.flatMap((id, at): Difference[] => {
    const row = expected.get(id);
    const content = known.get(id as ContentId) ?? null;
    const sides = [
      ["order", row ? String(row.watched_at) : null, scores.get(id) ?? null],
      ["progress", row ? packProgress(row, content) : null, scores.has(id) ? (progress[id] ?? null) : null],
      ["record", row ? (packRecord(content)?.view ?? null) : null, views[at] || null],
    ] as const;
    return sides.flatMap(([what, postgres, redis]) =>
      postgres === redis ? [] : [{ user, content: id, what, postgres, redis }],
    );
  });
  // An index that holds what is not there has told so above.
  if (differences.length > 0) return differences;
  const misplaced = await auditIndex(deps, user, {
    items: [...expected.values()].map((row) => row.content_id),
    known,
  });
  return misplaced.map(({ content, value, found }) => ({
    ...{ user, content, what: "index" as const },
    postgres: found ? null : value,
    redis: found ? value : null,
  }));
}

/** What Redis should show: the items above its floor. */
function expectedOf({ shown }: LoadedHistory, lowest: number): Map<string, HistoryRow> {
  return new Map(shown.filter((row) => row.watched_at > lowest).map((row) => [row.content_id, row]));
}

export type AuditDeps = ProjectDeps & { db: Database };
