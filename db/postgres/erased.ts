import { sql } from "drizzle-orm";
import type { UserId } from "../contract/ids.ts";
import { column } from "./batch.ts";
import type { Transaction } from "./transaction.ts";

/** What stands for a user in the table `erased`: a keyed hash. */
export type HashOf = (user: UserId) => string;

/**
 * Since when the erased of these users are accepted again; 0 while not. Who was never erased is left out. What an erased
 * user did before that time is dropped, whenever it arrives.
 */
export async function loadErased(
  db: Transaction,
  users: readonly UserId[],
  hashOf: HashOf,
): Promise<Map<UserId, number>> {
  const userOf = new Map(users.map((user) => [hashOf(user), user]));
  const rows = await db.execute(sql`
    SELECT user_hash, accepted_at FROM erased WHERE user_hash = ANY(${column([...userOf.keys()], "text")})
  `);
  const found = rows as unknown as { user_hash: string; accepted_at: number }[];
  return new Map(
    found.flatMap(({ user_hash, accepted_at }) => {
      const user = userOf.get(user_hash);
      return user === undefined ? [] : [[user, accepted_at]];
    }),
  );
}

/** Was the user erased, and is not accepted again? */
export async function isErased(db: Transaction, user: UserId, hashOf: HashOf): Promise<boolean> {
  return (await loadErased(db, [user], hashOf)).get(user) === 0;
}
