import { sql } from "drizzle-orm";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { BusMetrics } from "./metrics.ts";
import type { Bus } from "./redis-bus.ts";

/** Rows that one transaction publishes. */
const AT_ONCE = 500;
/** What somebody committed and did not live to say is found after this. */
const POLL_MS = 1_000;
/** Somebody else was at it, or more has come meanwhile. */
const SOON_MS = 50;
/** Apart from other advisory locks, of which there are none. */
const LOCKS = 7_214_001;
const COUNTED = 10_000;

/**
 * Puts on the bus what the outbox holds, each user's events in their order, at least once, and then deletes it. While
 * the bus is away everything stays where it is.
 *
 * Any number of ingests may do this at once: of one user only one of them publishes at a time, and looks for rows after
 * it has the user's lock, so none is overtaken. That writes of one user take turns, so that a row is never committed
 * behind a later one of the same user, is the writers' part.
 */
export function outboxPublisher({ db, bus, repair, metrics, log }: OutboxDeps): OutboxPublisher {
  let nudged = Promise.withResolvers<void>();

  /** @returns whether there may be more to do at once. */
  async function round(): Promise<boolean> {
    const waiting = await count(db);
    metrics.outboxWaiting(waiting);
    if (waiting === 0) return false;
    const published = await inTransaction(db, async (tx) => {
      const users = await lockUsers(tx);
      const ids = await idsOf(tx, users);
      if (ids.length === 0) return 0;
      // What a row tells of may not be in the views, if whoever wrote it is no more.
      await repair([...new Set(ids.map(({ user_id }) => user_id))]);
      const rows = await hold(tx, ids);
      await bus.publish(rows.map(({ event }) => JSON.parse(event) as CloudEvent));
      await remove(tx, rows);
      return rows.length;
    });
    metrics.outboxWaiting(Math.max(0, waiting - published));
    return published < waiting || published === AT_ONCE;
  }

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      nudged = Promise.withResolvers();
      const more = await keepTrying("publish the outbox", round, { signal, log }).catch(() => false);
      await Promise.race([nudged.promise, rest(more ? SOON_MS : POLL_MS, signal)]);
    }
  }

  return { work, round, nudge: () => nudged.resolve() };
}

/** Users of the oldest rows that nobody else is publishing, locked until the end of the transaction. */
async function lockUsers(tx: Transaction): Promise<UserId[]> {
  const rows = await tx.execute(sql`
    WITH oldest AS MATERIALIZED (
      SELECT DISTINCT user_id FROM (SELECT user_id FROM outbox ORDER BY seq LIMIT ${AT_ONCE}) o
    )
    SELECT user_id FROM oldest WHERE pg_try_advisory_xact_lock(${LOCKS}, hashtext(user_id))
  `);
  return (rows as unknown as { user_id: UserId }[]).map(({ user_id }) => user_id);
}

/** A statement of its own: it sees everything that was committed, and deleted, before the locks were had. */
async function idsOf(tx: Transaction, users: readonly UserId[]): Promise<Id[]> {
  if (users.length === 0) return [];
  const rows = await tx.execute(sql`
    SELECT user_id, id FROM outbox WHERE user_id = ANY(${column(users, "text")}) ORDER BY seq LIMIT ${AT_ONCE}
  `);
  return rows as unknown as Id[];
}

/** The rows that are still there; whoever would delete them waits until they are published. */
async function hold(tx: Transaction, ids: readonly Id[]): Promise<(Id & { event: string })[]> {
  const rows = await tx.execute(sql`
    SELECT user_id, id, event FROM outbox WHERE ${among(ids)} ORDER BY seq FOR UPDATE
  `);
  return rows as unknown as (Id & { event: string })[];
}

async function remove(tx: Transaction, ids: readonly Id[]): Promise<void> {
  if (ids.length > 0) await tx.execute(sql`DELETE FROM outbox WHERE ${among(ids)}`);
}

function among(ids: readonly Id[]) {
  const users = column(
    ids.map(({ user_id }) => user_id),
    "text",
  );
  const names = column(
    ids.map(({ id }) => id),
    "text",
  );
  return sql`(user_id, id) IN (SELECT user_id, id::uuid FROM unnest(${users}, ${names}) AS i (user_id, id))`;
}

async function count(db: Database): Promise<number> {
  const rows = await db.execute(
    sql`SELECT count(*)::int AS waiting FROM (SELECT FROM outbox LIMIT ${COUNTED}) o`,
  );
  return (rows as unknown as { waiting: number }[])[0]?.waiting ?? 0;
}

type Id = { user_id: UserId; id: string };

export type OutboxPublisher = {
  /** Publishes until the signal. */
  work: (signal: AbortSignal) => Promise<void>;
  /** Publishes once what can be. @returns whether there may be more to do at once. */
  round: () => Promise<boolean>;
  /** Something was committed: it is looked for at once. */
  nudge: () => void;
};

export type OutboxDeps = {
  db: Database;
  bus: Bus;
  /** Makes the views of these users anew, before anybody is told of what they should show. */
  repair: (users: readonly UserId[]) => Promise<void>;
  metrics: Pick<BusMetrics, "outboxWaiting">;
  log: Log;
};
