import { type SQL, sql } from "drizzle-orm";
import type { StoredPartyRecord } from "../../db/contract/party-records.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { NamelessId } from "../../db/postgres/erase-parties.ts";
import { type HashOf, loadErased } from "../../db/postgres/erased.ts";
import { inTransaction } from "../../db/postgres/transaction.ts";
import { usersIn, withoutErased } from "./nameless.ts";

/**
 * Stores what happened in a party, all of it or nothing, one statement a table. What is there already stays as it is, so
 * it may be stored again, in any order and by several at once. Of who was erased no name is stored: of a flush that did
 * not see the mark yet an erasure takes the names away, for it comes again when that flush is long over.
 */
export async function storeRecords(
  db: Database,
  records: readonly StoredPartyRecord[],
  { hashOf, nameless }: { hashOf: HashOf; nameless: NamelessId },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const erased = await loadErased(tx, usersIn(records), hashOf);
    // One order for everybody: who stores the same at the same time waits, and never in a circle.
    const sorted = records
      .map((record) => withoutErased(record, erased, nameless))
      .sort((a, b) => (a.event_id < b.event_id ? -1 : a.event_id > b.event_id ? 1 : 0));
    for (const statementOf of STATEMENTS) {
      const statement = statementOf(sorted);
      if (statement) await tx.execute(statement);
    }
  });
}

const STATEMENTS = [
  function messages(records: readonly StoredPartyRecord[]): SQL | null {
    const its = records.filter((record) => record.kind === "chat");
    const names = its.map(({ name }) => name);
    const texts = its.map(({ text }) => text);
    return its.length === 0
      ? null
      : sql`INSERT INTO watch_party_messages (party_id, event_id, at, media_time, user_id, name, text)
          SELECT * FROM unnest(${happened(its)}, ${column(names, "text")}, ${column(texts, "text")})
          ON CONFLICT DO NOTHING`;
  },

  function likes(records: readonly StoredPartyRecord[]): SQL | null {
    const its = records.filter((record) => record.kind === "like");
    return its.length === 0
      ? null
      : sql`INSERT INTO watch_party_likes (party_id, event_id, at, media_time, user_id, count)
          SELECT * FROM unnest(${happened(its)}, ${counts(its)}) ON CONFLICT DO NOTHING`;
  },

  function viewers(records: readonly StoredPartyRecord[]): SQL | null {
    const its = records.filter((record) => record.kind === "viewers");
    return its.length === 0
      ? null
      : sql`INSERT INTO watch_party_viewers (party_id, event_id, at, media_time, count)
          SELECT party_id, event_id, at, media_time, count FROM unnest(${happened(its)}, ${counts(its)})
            AS r (party_id, event_id, at, media_time, user_id, count) ON CONFLICT DO NOTHING`;
  },

  function logs(records: readonly StoredPartyRecord[]): SQL | null {
    const its = records.filter((record) => record.kind === "log");
    const events = its.map(({ event }) => event);
    const data = its.map(({ data }) => JSON.stringify(data));
    return its.length === 0
      ? null
      : sql`INSERT INTO watch_party_logs (party_id, event_id, at, media_time, user_id, event, data)
          SELECT party_id, event_id, at, media_time, user_id, event, data::jsonb
          FROM unnest(${happened(its)}, ${column(events, "text")}, ${column(data, "text")})
            AS r (party_id, event_id, at, media_time, user_id, event, data) ON CONFLICT DO NOTHING`;
  },

  /** Who came and went: the first time and the last. */
  function members(records: readonly StoredPartyRecord[]): SQL | null {
    const its = records.filter(
      (record) => record.kind === "log" && (record.event === "joined" || record.event === "left"),
    );
    const joined = its.map((record) =>
      record.kind === "log" && record.event === "joined" ? record.at : null,
    );
    const left = its.map((record) => (record.kind === "log" && record.event === "left" ? record.at : null));
    const parties = its.map(({ party_id }) => party_id);
    const users = its.map(({ user_id }) => user_id);
    return its.length === 0
      ? null
      : sql`INSERT INTO watch_party_members AS m (party_id, user_id, joined_at, left_at)
          SELECT party_id, user_id, coalesce(min(joined), 0), coalesce(max(gone), 0)
          FROM unnest(${column(parties, "text")}, ${column(users, "text")}, ${column(joined, "bigint")},
            ${column(left, "bigint")}) AS r (party_id, user_id, joined, gone)
          WHERE user_id IS NOT NULL GROUP BY party_id, user_id ORDER BY party_id, user_id
          ON CONFLICT (party_id, user_id) DO UPDATE SET
            joined_at = coalesce(least(nullif(m.joined_at, 0), nullif(excluded.joined_at, 0)), 0),
            left_at = greatest(m.left_at, excluded.left_at)`;
  },
];

function happened(records: readonly StoredPartyRecord[]): SQL {
  const parties = records.map(({ party_id }) => party_id);
  const events = records.map(({ event_id }) => event_id);
  const times = records.map(({ at }) => at);
  const places = records.map(({ media_time }) => media_time);
  const users = records.map(({ user_id }) => user_id);
  return sql`${column(parties, "text")}, ${column(events, "text")}, ${column(times, "bigint")},
    ${column(places, "float8")}, ${column(users, "text")}`;
}

function counts(records: readonly { count: number }[]): SQL {
  return column(
    records.map(({ count }) => count),
    "bigint",
  );
}
