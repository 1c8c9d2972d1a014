import { type SQL, sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { type HashOf, loadErased } from "../../db/postgres/erased.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import { erasedUsers } from "../../db/redis/keys.ts";

/** Users that one transaction marks in Redis. */
const PAGE = 1_000;
/** As long as an erasure takes, or nearly. */
const UNDER_WAY_RETRY_SECONDS = 30;

/**
 * Who was erased. Postgres knows; Redis is told, for sessions begin and end without Postgres.
 *
 * A write of what belongs to a user and the mark of an erasure wait for each other: whoever comes second sees the first.
 */
export function erasureMarks({ db, redis, hashOf, clock }: ErasureMarksDeps): ErasureMarks {
  async function refuseErased(tx: Transaction, user: UserId): Promise<void> {
    await tx.execute(sql`SELECT pg_advisory_xact_lock_shared(${lockOf(hashOf(user))})`);
    if ((await loadErased(tx, [user], hashOf)).get(user) === 0) {
      throw new Refusal("erased", "this user was erased; a service may put a new profile");
    }
  }

  async function acceptAgain(tx: Transaction, user: UserId): Promise<void> {
    const user_hash = hashOf(user);
    await tx.execute(sql`SELECT pg_advisory_xact_lock_shared(${lockOf(user_hash)})`);
    const rows = await tx.execute(sql`
      UPDATE erased SET accepted_at = CASE WHEN user_id IS NULL THEN greatest(${clock()}, erased_at + 1) ELSE 0 END
      WHERE user_hash = ${user_hash} AND accepted_at = 0 RETURNING accepted_at
    `);
    const [erased] = rows as unknown as { accepted_at: number }[];
    if (!erased) return;
    if (erased.accepted_at === 0) {
      throw new Refusal("erasing", "the erasure of this user is still under way", {
        retryAfterSeconds: UNDER_WAY_RETRY_SECONDS,
      });
    }
    try {
      await redis.srem(erasedUsers, user_hash);
    } catch (cause) {
      throw new Refusal("unavailable", "the sessions are out of reach", { cause });
    }
  }

  async function mark(user: UserId, due_at: number): Promise<{ erased_at: number }> {
    const user_hash = hashOf(user);
    const rows = await inTransaction(db, async (tx) => {
      await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockOf(user_hash)})`);
      return await tx.execute(sql`
        INSERT INTO erased AS e (user_hash, erased_at, user_id, due_at)
        VALUES (${user_hash}, ${clock()}, ${user}, ${due_at})
        ON CONFLICT (user_hash) DO UPDATE SET
          erased_at = CASE WHEN e.accepted_at = 0 THEN e.erased_at ELSE excluded.erased_at END,
          accepted_at = 0, user_id = excluded.user_id, passes = 0, stream_id = '', due_at = excluded.due_at
        RETURNING erased_at
      `);
    });
    const [{ erased_at }] = rows as unknown as [{ erased_at: number }];
    return { erased_at };
  }

  async function tellRedis(): Promise<void> {
    let last = "";
    do {
      // Whoever is accepted again meanwhile waits for this, and takes the mark away then.
      last = await inTransaction(db, async (tx) => {
        const rows = await tx.execute(sql`
          SELECT user_hash FROM erased WHERE accepted_at = 0 AND user_hash > ${last}
          ORDER BY user_hash LIMIT ${PAGE} FOR SHARE
        `);
        const hashes = (rows as unknown as { user_hash: string }[]).map(({ user_hash }) => user_hash);
        if (hashes.length > 0) await redis.sadd(erasedUsers, ...hashes);
        return hashes.length < PAGE ? "" : (hashes.at(-1) ?? "");
      });
    } while (last !== "");
  }

  return { refuseErased, acceptAgain, mark, tellRedis };
}

/** The lock of a user's erasure, of all who may be taken for the same. */
function lockOf(user_hash: string): SQL {
  return sql`hashtextextended(${user_hash}, 0)`;
}

export type ErasureMarks = {
  /** Until the transaction ends nobody can be marked. @throws Refusal `erased` */
  refuseErased: (tx: Transaction, user: UserId) => Promise<void>;
  /**
   * A service wants an erased user back: from now on. Others are left as they are.
   * @throws Refusal `unavailable` while the erasure is under way, or the stream's Redis is out of reach.
   */
  acceptAgain: (tx: Transaction, user: UserId) => Promise<void>;
  /**
   * Remembers that a user was erased, before anything is, and until when nobody else need go on with it. Who was erased
   * before and not accepted since was erased then.
   */
  mark: (user: UserId, due_at: number) => Promise<{ erased_at: number }>;
  /** Everybody who was erased is marked in Redis: what is not there does no harm, what is missing is put back. */
  tellRedis: () => Promise<void>;
};

type ErasureMarksDeps = {
  db: Database;
  /** The one of the event stream. */
  redis: Redis;
  hashOf: HashOf;
  clock: () => number;
};
