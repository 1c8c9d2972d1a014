import { sql } from "drizzle-orm";
import {
  type CloudEvent,
  type HostedParty,
  partyEnded,
  partyStarted,
} from "../../db/contract/cloud-events.ts";
import type { PartyEnd } from "../../db/contract/event-data.ts";
import { LONGEST_PARTY_MS, type Party } from "../../db/contract/parties.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { putInOutbox } from "../../db/postgres/outbox.ts";
import { inTransaction } from "../../db/postgres/transaction.ts";
import { PARTY_COLUMNS, partiesIn } from "./load-party.ts";

/** When the schedule ends a party `p`: the same as `endOf`. */
const ENDS_AT = sql.raw(`coalesce(nullif(p.end_time, 0), p.start_time + ${LONGEST_PARTY_MS})`);

/**
 * Opens parties whose time has come. One whose whole time has passed was missed, and is called off; so is one whose
 * host was erased. Each of them by one process, once, together with the event that tells of it.
 */
export async function openDueParties(db: Database, now: number, max: number): Promise<Party[]> {
  const missed = sql`(p.host_id IS NULL OR ${ENDS_AT} <= ${now})`;
  return await inTransaction(db, async (tx) => {
    const parties = await partiesIn(
      tx,
      sql`
      WITH due AS MATERIALIZED (
        SELECT party_id FROM watch_parties WHERE status = 'SCHEDULED' AND start_time <= ${now}
        ORDER BY start_time LIMIT ${max} FOR UPDATE SKIP LOCKED
      )
      UPDATE watch_parties p SET
        status = CASE WHEN ${missed} THEN 'CANCELLED' ELSE 'ONGOING' END,
        started_at = CASE WHEN ${missed} THEN 0 ELSE ${now}::bigint END,
        ended_at = CASE WHEN ${missed} THEN ${now}::bigint ELSE 0 END,
        updated_at = now()
      FROM due WHERE p.party_id = due.party_id AND p.status = 'SCHEDULED'
      RETURNING ${PARTY_COLUMNS}`,
    );
    await putInOutbox(tx, eventsOf(parties, "missed", new Map()));
    return parties;
  });
}

/**
 * Ends parties: those that are on are finished, those that have not begun are called off. What is over already stays as
 * it is, so that of many who end a party one does, together with the event that tells of it.
 *
 * @param its.only what they must be: `due` is what is on and was to end by now.
 * @param its.peaks how many watched at most, as far as Postgres does not know yet.
 * @returns those that were ended now.
 */
export async function endParties(
  db: Database,
  party_ids: readonly string[],
  its: { now: number; reason: PartyEnd; only: Endable; peaks: ReadonlyMap<string, number> },
): Promise<Party[]> {
  const { now, reason, only, peaks } = its;
  const status = only === "SCHEDULED" ? "SCHEDULED" : "ONGOING";
  const which = sql`p.status = ${status} ${only === "due" ? sql`AND ${ENDS_AT} <= ${now}` : sql``}`;
  return await inTransaction(db, async (tx) => {
    const parties = await partiesIn(
      tx,
      sql`
      WITH ending AS MATERIALIZED (
        SELECT p.party_id FROM watch_parties p WHERE p.party_id = ANY(${column(party_ids, "text")}) AND ${which}
        ORDER BY p.party_id FOR UPDATE
      )
      UPDATE watch_parties p SET
        status = CASE p.status WHEN 'ONGOING' THEN 'FINISHED' ELSE 'CANCELLED' END,
        ended_at = greatest(${now}::bigint, p.started_at), updated_at = now()
      FROM ending WHERE p.party_id = ending.party_id AND ${which}
      RETURNING ${PARTY_COLUMNS}`,
    );
    const stored = await tx.execute(sql`
      SELECT party_id, max(count) AS peak FROM watch_party_viewers
      WHERE party_id = ANY(${column(party_ids, "text")}) GROUP BY party_id
    `);
    const most = new Map(peaks);
    for (const { party_id, peak } of stored as unknown as { party_id: string; peak: number }[]) {
      most.set(party_id, Math.max(peak, most.get(party_id) ?? 0));
    }
    await putInOutbox(tx, eventsOf(parties, reason, most));
    return parties;
  });
}

/** What became of parties. Of one whose host was erased nothing is told: there is nobody whom it is about. */
function eventsOf(
  parties: readonly Party[],
  reason: PartyEnd,
  peaks: ReadonlyMap<string, number>,
): CloudEvent[] {
  return parties.filter(isHosted).map((party) => {
    if (party.status === "ONGOING") return partyStarted(party);
    return partyEnded(party, { reason, peak_viewers: peaks.get(party.party_id) ?? 0 });
  });
}

function isHosted(party: Party): party is HostedParty {
  return party.host_id !== null;
}

export type Endable = "SCHEDULED" | "ONGOING" | "due";

/** Parties of which somebody has to look after the room: those that are on, and what is not wholly in Postgres. */
export type Standing = { party_id: string; status: Party["status"]; ends_at: number };

export async function partiesToTend(db: Database): Promise<Standing[]> {
  const rows = await db.execute(sql`
    SELECT p.party_id, p.status, ${ENDS_AT} AS ends_at FROM watch_parties p
    WHERE p.started_at > 0 AND p.flushed_at = 0
  `);
  return rows as unknown as Standing[];
}

/** When the next party opens, in epoch milliseconds; null for never. */
export async function nextStart(db: Database): Promise<number | null> {
  const rows = await db.execute(
    sql`SELECT min(start_time) AS start_time FROM watch_parties WHERE status = 'SCHEDULED'`,
  );
  return (rows as unknown as { start_time: number | null }[])[0]?.start_time ?? null;
}
