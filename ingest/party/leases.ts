import type { Redis } from "ioredis";
import { partyLease, partyProcesses } from "../../db/redis/keys.ts";

/** A process that has not been heard of for so long is no more. */
export const LEASE_MS = 5_000;

/**
 * Which processes serve members: each says so every second, and what it said is forgotten by itself. While Redis was
 * away nobody could say anything, so nobody is given up before all had their time again.
 */
export function processLeases(redis: Redis, its: { process: string; clock: () => number }): Leases {
  const { process, clock } = its;
  let since: number | null = null;

  return {
    async renew() {
      try {
        await redis
          .multi()
          .sadd(partyProcesses, process)
          .set(partyLease(process), "1", "PX", LEASE_MS)
          .exec();
        since ??= clock();
      } catch (error) {
        since = null;
        throw error;
      }
    },

    async gone() {
      if (since === null || clock() - since < LEASE_MS) return [];
      const processes = await redis.smembers(partyProcesses);
      if (processes.length === 0) return [];
      const leases = await redis.mget(processes.map(partyLease));
      return processes.filter((_, n) => leases[n] === null);
    },

    async forget(gone) {
      await redis.multi().srem(partyProcesses, gone).del(partyLease(gone)).exec();
    },
  };
}

export type Leases = {
  renew: () => Promise<void>;
  /** Processes that were here and are no more. */
  gone: () => Promise<string[]>;
  forget: (process: string) => Promise<void>;
};
