import { type SQL, sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Party } from "../../db/contract/parties.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";

/** What a party is made of, of `watch_parties` as `p`. */
export const PARTY_COLUMNS =
  sql.raw(`p.party_id, p.title, p.content_id, p.host_id, p.co_host_ids, p.visibility,
  p.invite_code, p.status, p.start_time, p.end_time, p.started_at, p.ended_at, p.flushed_at, p.peak_viewers,
  p.average_viewers`);

/** A party; null when there is none. @param lock for whoever is about to change it. */
export async function loadParty(
  db: Transaction,
  party_id: string,
  { lock = false } = {},
): Promise<Party | null> {
  const [party] = await partiesIn(
    db,
    sql`SELECT ${PARTY_COLUMNS} FROM watch_parties p WHERE p.party_id = ${party_id}
      ${lock ? sql`FOR UPDATE` : sql``}`,
  );
  return party ?? null;
}

/** Was somebody ever in it? */
export async function wasMember(db: Transaction, party_id: string, user: UserId): Promise<boolean> {
  const rows = await db.execute(
    sql`SELECT 1 FROM watch_party_members WHERE party_id = ${party_id} AND user_id = ${user}`,
  );
  return rows.length > 0;
}

/** The parties that a statement answers with. */
export async function partiesIn(db: Transaction, statement: SQL): Promise<Party[]> {
  return (await db.execute(statement)) as unknown as Party[];
}
