import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import { type Party, type PartyPatch, patched } from "../../db/contract/parties.ts";
import { noSuchParty } from "../../db/contract/party-rights.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import { loadParty } from "./load-party.ts";

/** A party that nobody had before. */
export async function insertParty(db: Transaction, party: Party): Promise<void> {
  const { party_id, title, content_id, host_id, visibility, invite_code, start_time, end_time } = party;
  await db.execute(sql`
    INSERT INTO watch_parties (party_id, title, content_id, host_id, visibility, invite_code, start_time, end_time)
    VALUES (${party_id}, ${title}, ${content_id}, ${host_id}, ${visibility}, ${invite_code}, ${start_time},
      ${end_time})
  `);
}

/**
 * Changes what a patch names, under the lock of the party: whatever the schedule does meanwhile, it is as the patch may
 * change it.
 *
 * @returns the party as it is then, and as it was.
 * @throws Refusal `not_found`, `erased`, and what `patched` throws.
 */
export async function changeParty(
  db: Database,
  party_id: string,
  { patch, now, refuseErased }: { patch: PartyPatch; now: number; refuseErased: RefuseErased },
): Promise<{ before: Party; after: Party }> {
  return await inTransaction(db, async (tx) => {
    const before = await loadParty(tx, party_id, { lock: true });
    if (before === null) throw noSuchParty();
    const after = patched(before, patch, now);
    // In one order, so that nobody waits in a circle.
    const helpers = after.co_host_ids.filter((user) => !before.co_host_ids.includes(user));
    for (const user of helpers.toSorted()) await refuseErased(tx, user);
    await tx.execute(sql`
      UPDATE watch_parties SET title = ${after.title}, content_id = ${after.content_id},
        start_time = ${after.start_time}, end_time = ${after.end_time}, visibility = ${after.visibility},
        co_host_ids = ${column(after.co_host_ids, "text")}, updated_at = now()
      WHERE party_id = ${party_id}
    `);
    return { before, after };
  });
}

/** Somebody comes to a party. To have been there is remembered once, from the first time on. */
export async function insertMember(
  db: Transaction,
  member: { party_id: string; user_id: UserId; at: number },
): Promise<void> {
  const { party_id, user_id, at } = member;
  await db.execute(sql`
    INSERT INTO watch_party_members (party_id, user_id, joined_at) VALUES (${party_id}, ${user_id}, ${at})
    ON CONFLICT (party_id, user_id) DO NOTHING
  `);
}

/** Everything that was said in a party that is over is in Postgres. The first time counts. */
export async function markFlushed(db: Transaction, party_id: string, at: number): Promise<void> {
  await db.execute(sql`
    UPDATE watch_parties SET flushed_at = ${at}, updated_at = now()
    WHERE party_id = ${party_id} AND status = 'FINISHED' AND flushed_at = 0
  `);
}

/** Until the transaction ends nobody can be erased. @throws Refusal `erased` */
export type RefuseErased = (tx: Transaction, user: UserId) => Promise<void>;
