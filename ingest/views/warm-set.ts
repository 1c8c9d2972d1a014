import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { warmUsers } from "../../db/redis/keys.ts";
import type { Log } from "../observe/log.ts";

/** How exact the order of the coldest has to be: heartbeats of a minute are one touch. */
const ONCE_MS = 60_000;
/** As many users as a process remembers; of more than these some are touched again within the minute. */
const REMEMBERED = 100_000;

/**
 * Everybody whose views may be in Redis, by when they were last projected or refilled: what the sweeper goes by.
 *
 * A failure of Redis is not the caller's: it is logged, and the next touch makes up for it.
 */
export function warmSet({ redis, clock, log, remember = REMEMBERED }: WarmSetDeps): WarmSet {
  const touched = new Map<UserId, number>();

  async function touch(users: Iterable<UserId>): Promise<void> {
    const now = clock();
    await write(
      now,
      [...new Set(users)].filter((user) => now - (touched.get(user) ?? 0) >= ONCE_MS),
    );
  }

  async function enter(user: UserId): Promise<void> {
    await write(clock(), [user]);
  }

  async function write(now: number, users: readonly UserId[]): Promise<void> {
    if (users.length === 0) return;
    for (const user of users) {
      touched.delete(user);
      touched.set(user, now);
    }
    for (const oldest of touched.keys()) {
      if (touched.size <= remember) break;
      touched.delete(oldest);
    }
    try {
      await redis.zadd(warmUsers, ...users.flatMap((user) => [now, user]));
    } catch (error) {
      for (const user of users) touched.delete(user);
      log.warn({ error }, "warm set: Redis is away, some users look colder than they are");
    }
  }

  return { touch, enter };
}

export type WarmSet = {
  /** They were projected. At most once a minute a user, so that a heartbeat does not pay for it. */
  touch: (users: Iterable<UserId>) => Promise<void>;
  /**
   * A refill of the user has begun: to be called between its beginning and its end, each time. Who was evicted a
   * moment ago has left the set, whatever is remembered here, and must be in it before being warm: an eviction that
   * saw the user earlier leaves the entry alone, one that sees it from now on makes the refill begin again.
   */
  enter: (user: UserId) => Promise<void>;
};

export type WarmSetDeps = { redis: Redis; clock: () => number; log: Log; remember?: number };
