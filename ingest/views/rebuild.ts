import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { evict } from "./evict.ts";

/**
 * Makes the view of a user anew from Postgres, whatever stood there. Readers in between are answered by a
 * refill; turns in between project as always.
 */
export async function rebuild(
  redis: Redis,
  refill: (user: UserId) => Promise<unknown>,
  user: UserId,
): Promise<void> {
  await evict(redis, user);
  await refill(user);
}
