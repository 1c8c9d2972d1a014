import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { HashOf } from "../../db/postgres/erased.ts";
import { erasedUsers } from "../../db/redis/keys.ts";
import type { EventStream } from "../stream.ts";
import type { Eraser, Erasers } from "./erasers.ts";
import type { ErasureMarks } from "./erasure-marks.ts";

/** Whoever has begun with a store is left alone with it for so long. */
const HOLD_MS = 15_000;
/** How soon it is looked whether an erasure may be repeated. */
const SOON_MS = 500;
/**
 * After this nothing is under way any more that began before the mark: no statement, no request, nothing that a process
 * left behind which was killed.
 */
const LAST_AFTER_MS = 35_000;
/** The clock of Redis may have been put back by this much. */
const BACK_MS = 60_000;

/** What went from a store. */
export type Gone = { store: string; erased: number };

/** An erasure that is not finished. `passes`: how often everything was erased; `stream_id`: the newest entry before. */
export type Unfinished = {
  user_id: UserId;
  user_hash: string;
  erased_at: number;
  passes: number;
  stream_id: string;
};

/**
 * Erases users, each in three passes over all there is:
 *
 *   1  at once, after the mark: from then on every turn drops what they did
 *   2  when whatever waited in the stream at that moment is let go of, and with it the turns that began before the mark
 *   3  when no statement or request can be left of that time
 *
 * How far one is stands in Postgres, so after a crash any other ingest goes on with it; until the last pass the row says
 * whose it is. Nobody is accepted again before.
 */
export function erasure({ db, stream, redis, marks, erasers, hashOf, clock }: ErasureDeps) {
  /** The first pass. @throws when a store is away: the mark stands then, and the rest is done without being asked. */
  async function erase(user_id: UserId): Promise<{ erased_at: number; stores: () => Promise<Gone[]> }> {
    const { erased_at } = await marks.mark(user_id, clock() + HOLD_MS);
    const row = { user_id, user_hash: hashOf(user_id), erased_at, passes: 0, stream_id: "" };
    return { erased_at, stores: () => first(row) };
  }

  async function first(row: Unfinished): Promise<Gone[]> {
    const rows = await eraseAll(row, erasers.rows, "-");
    const stream_id = await stream.newest();
    const gone = [...rows, ...(await eraseOthers(row, "-"))];
    await db.execute(sql`
      UPDATE erased SET passes = 1, stream_id = ${stream_id}, due_at = ${clock() + SOON_MS} WHERE ${unfinished(row)}
    `);
    return gone;
  }

  /** One step further with an erasure that is due. */
  async function goOn(row: Unfinished): Promise<void> {
    if (row.passes === 0) return void (await first(row));
    if (!(await stream.isDrained(row.stream_id))) return await later(row, clock() + SOON_MS);
    const last = row.erased_at + LAST_AFTER_MS;
    const isLast = clock() >= last;
    await eraseAll(row, erasers.rows, "-");
    await eraseOthers(row, margined(row.stream_id));
    if (!isLast) return await later(row, last);
    await db.execute(
      sql`UPDATE erased SET user_id = NULL, stream_id = '', due_at = 0 WHERE ${unfinished(row)}`,
    );
  }

  async function later(row: Unfinished, due_at: number): Promise<void> {
    await db.execute(sql`UPDATE erased SET due_at = ${due_at} WHERE ${unfinished(row)}`);
  }

  async function eraseOthers(row: Unfinished, since: string): Promise<Gone[]> {
    // No session begins from here on, and none is told of.
    await redis.sadd(erasedUsers, row.user_hash);
    return await eraseAll(row, erasers.others, since);
  }

  /** @throws when a store is away: what comes after it is left. */
  async function eraseAll(row: Unfinished, stores: readonly Eraser[], since: string): Promise<Gone[]> {
    const gone: Gone[] = [];
    for (const { store, erase } of stores) {
      await hold(row);
      gone.push({ store, erased: await erase({ user: row.user_id, since }) });
    }
    return gone;
  }

  /** Nobody else goes on with it meanwhile, and the user is not accepted again. @throws when it is finished. */
  async function hold(row: Unfinished): Promise<void> {
    const held = await db.execute(sql`
      UPDATE erased SET due_at = ${clock() + HOLD_MS} WHERE ${unfinished(row)} RETURNING user_hash
    `);
    if (held.length === 0) throw new Error("this erasure is finished");
  }

  /** An erasure that is due, for whoever asks first. */
  async function claim(): Promise<Unfinished | null> {
    const rows = await db.execute(sql`
      UPDATE erased SET due_at = ${clock() + HOLD_MS} WHERE user_hash = (
        SELECT user_hash FROM erased WHERE user_id IS NOT NULL AND due_at <= ${clock()}
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
      )
      RETURNING user_id, user_hash, erased_at, passes, stream_id
    `);
    return (rows as unknown as Unfinished[])[0] ?? null;
  }

  return { erase, claim, goOn };
}

function unfinished({ user_hash }: Unfinished) {
  return sql`user_hash = ${user_hash} AND user_id IS NOT NULL`;
}

/** Where the events begin that came after an entry. */
function margined(id: string): string {
  const at = Number(id.split("-")[0]) - BACK_MS;
  return at > 0 ? String(at) : "-";
}

export type Erasure = ReturnType<typeof erasure>;

type ErasureDeps = {
  db: Database;
  stream: Pick<EventStream, "newest" | "isDrained">;
  /** The one of the stream. */
  redis: Redis;
  marks: ErasureMarks;
  erasers: Erasers;
  hashOf: HashOf;
  clock: () => number;
};
