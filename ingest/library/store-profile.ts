import { sql } from "drizzle-orm";
import { profileUpdated } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { ProfileFacts } from "../../db/contract/profiles.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { Change, Occurrence } from "./profile-writer.ts";

/** Says what a user is called and likes, all of it. The row is there, and locked. */
export async function storeProfile(
  tx: Transaction,
  user_id: UserId,
  { name, avatar, preferences }: ProfileFacts,
  { id, at }: Occurrence,
): Promise<Change<null>> {
  const facts = sql`${name}::text, ${avatar}::text, ${JSON.stringify(preferences)}::text::jsonb`;
  const rows = await tx.execute(sql`
    UPDATE profiles SET (name, avatar, preferences) = ROW (${facts}), saved_at = ${at}
    WHERE user_id = ${user_id} AND (saved_at = 0 OR (name, avatar, preferences) IS DISTINCT FROM (${facts}))
    RETURNING user_id
  `);
  const changed = rows.length > 0;
  const event = changed ? profileUpdated({ user_id, name, avatar, preferences }, { id, at }) : null;
  return { event, created: false, row: null };
}
