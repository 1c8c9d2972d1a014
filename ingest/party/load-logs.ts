import { sql } from "drizzle-orm";
import { comparePlaces, type LogsRequest, type PartyLog, placeOfLog } from "../../db/contract/party-lists.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { PartyRecord } from "./room-store.ts";
import type { Sample } from "./viewing.ts";

/**
 * What happened in a party, oldest first: up to limit + 1 entries after the cursor, with what waits for Postgres, each
 * once. How many watched is among them as `viewers`.
 *
 * @param buffered what waited, read before this is called.
 */
export async function loadLogs(
  db: Transaction,
  party_id: string,
  { limit, after }: LogsRequest,
  buffered: readonly PartyRecord[],
): Promise<PartyLog[]> {
  const page = sql`${after ? sql`AND (at, event_id) > (${after[0]}::bigint, ${after[1]})` : sql``}
    ORDER BY at, event_id LIMIT ${limit + 1}`;
  const rows = await db.execute(sql`
    (SELECT event_id, at, media_time, user_id, event, data FROM watch_party_logs
      WHERE party_id = ${party_id} ${page})
    UNION ALL
    (SELECT event_id, at, media_time, NULL, 'viewers', jsonb_build_object('count', count) FROM watch_party_viewers
      WHERE party_id = ${party_id} ${page})
  `);
  const found = new Map((rows as unknown as PartyLog[]).map((log) => [log.event_id, log]));
  for (const log of buffered.flatMap(logOf)) {
    const follows = after === null || comparePlaces(placeOfLog(log), after) > 0;
    if (follows && !found.has(log.event_id)) found.set(log.event_id, log);
  }
  return [...found.values()].sort((a, b) => comparePlaces(placeOfLog(a), placeOfLog(b))).slice(0, limit + 1);
}

/** How many likes a party has, those that wait for Postgres among them. */
export async function loadLikes(
  db: Transaction,
  party_id: string,
  buffered: readonly PartyRecord[],
): Promise<number> {
  const waiting = new Map<string, number>();
  for (const record of buffered) if (record.kind === "like") waiting.set(record.event_id, record.count);
  const rows = await db.execute(sql`
    SELECT coalesce(sum(count), 0)::bigint AS likes FROM watch_party_likes
    WHERE party_id = ${party_id} AND NOT event_id = ANY(${column([...waiting.keys()], "text")})
  `);
  const stored = (rows as unknown as { likes: number }[])[0]?.likes ?? 0;
  return [...waiting.values()].reduce((sum, count) => sum + count, stored);
}

/** How many watched, as it changed, oldest first. */
export async function loadSamples(
  db: Transaction,
  party_id: string,
  buffered: readonly PartyRecord[],
): Promise<Sample[]> {
  const rows = await db.execute(sql`
    SELECT event_id, at, count FROM watch_party_viewers WHERE party_id = ${party_id} ORDER BY at, event_id
  `);
  const samples = new Map((rows as unknown as Stored[]).map((sample) => [sample.event_id, sample]));
  for (const record of buffered) if (record.kind === "viewers") samples.set(record.event_id, record);
  return [...samples.values()].sort((a, b) => a.at - b.at);
}

function logOf(record: PartyRecord): PartyLog[] {
  const { event_id, at, media_time, user_id } = record;
  const its = { event_id, at, media_time, user_id };
  if (record.kind === "log") return [{ ...its, event: record.event, data: record.data }];
  return record.kind === "viewers" ? [{ ...its, event: "viewers", data: { count: record.count } }] : [];
}

type Stored = Sample & { event_id: string };
