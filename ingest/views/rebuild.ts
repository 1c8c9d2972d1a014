import type { UserId } from "../../db/contract/ids.ts";
import { evict } from "./project.ts";
import type { RefillDeps } from "./refill.ts";

/**
 * Makes the views of these users anew from Postgres, whatever stood there. Readers in between are answered by
 * a refill; turns in between project as always.
 */
export async function rebuild(
  { redis }: Pick<RefillDeps, "redis">,
  refill: (user: UserId) => Promise<unknown>,
  users: AsyncIterable<UserId> | Iterable<UserId>,
  onUser: (user: UserId) => void = () => {},
): Promise<void> {
  for await (const user of users) {
    await evict(redis, user);
    await refill(user);
    onUser(user);
  }
}
