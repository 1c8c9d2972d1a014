import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Party } from "../../db/contract/parties.ts";
import type { PartiesRequest } from "../../db/contract/party-lists.ts";
import { PARTY_STATUSES, type PartyStatus } from "../../db/contract/party-lists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import { PARTY_COLUMNS, partiesIn } from "./load-party.ts";

/**
 * Up to limit + 1 parties after the cursor: public ones, and those that somebody hosts, helps to host, or was in. What
 * is to come begins with what comes first; every other list, and all of them together, with what starts last.
 */
export async function listParties(
  db: Transaction,
  user: UserId,
  { status, limit, after }: PartiesRequest,
): Promise<Party[]> {
  const soonestFirst = status === "SCHEDULED";
  const order = sql.raw(soonestFirst ? "start_time, party_id" : "start_time DESC, party_id DESC");
  const follows = after
    ? sql`AND (p.start_time, p.party_id) ${sql.raw(soonestFirst ? ">" : "<")} (${after[0]}::bigint, ${after[1]})`
    : sql``;
  // By each status and way to find it alone: that is how the indexes stand.
  const publicOnes = (one: PartyStatus) => sql`
    (SELECT ${PARTY_COLUMNS} FROM watch_parties p WHERE p.visibility = 'public' AND p.status = ${one} ${follows}
      ORDER BY ${order} LIMIT ${limit + 1})`;
  const own = sql`
    (SELECT ${PARTY_COLUMNS} FROM watch_parties p WHERE p.party_id IN (
        SELECT party_id FROM watch_parties WHERE host_id = ${user}
        UNION ALL SELECT party_id FROM watch_parties WHERE co_host_ids @> ARRAY[${user}::text]
        UNION ALL SELECT party_id FROM watch_party_members WHERE user_id = ${user}
      ) AND p.visibility <> 'public' ${status ? sql`AND p.status = ${status}` : sql``} ${follows}
      ORDER BY ${order} LIMIT ${limit + 1})`;
  const parts = [own, ...(status ? [status] : PARTY_STATUSES).map(publicOnes)];
  return await partiesIn(
    db,
    sql`SELECT * FROM (${sql.join(parts, sql` UNION ALL `)}) AS found ORDER BY ${order} LIMIT ${limit + 1}`,
  );
}
