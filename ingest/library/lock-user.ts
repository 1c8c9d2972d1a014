import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";

/** Until the transaction ends nobody else writes for this user. @returns false when there is nothing to be locked. */
export async function lockUser(tx: Transaction, user: UserId): Promise<boolean> {
  const rows = await tx.execute(sql`SELECT FROM profiles WHERE user_id = ${user} FOR UPDATE`);
  return rows.length > 0;
}

/** The same for somebody of whom there may be nothing yet. */
export async function beginUser(tx: Transaction, user: UserId): Promise<void> {
  await tx.execute(sql`
    INSERT INTO profiles (user_id) VALUES (${user}) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
  `);
}

/** What belongs to the user has changed. */
export async function nextVersion(tx: Transaction, user: UserId): Promise<void> {
  await tx.execute(sql`
    UPDATE profiles SET rev = nextval('profile_revs'), updated_at = now() WHERE user_id = ${user}
  `);
}
