import { type SQL, sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Export } from "../../db/contract/privacy.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { PAGE, pages, stamp } from "./export-rows.ts";

type Rows<Part extends "parties" | "party_messages" | "party_likes" | "party_logs"> = AsyncGenerator<
  Export[Part]
>;
type Place = { party_id: string; event_id: string };

/** The parties that a user hosted, helped to host, or was in, in the order of their ids, a page at a time. */
export function exportedParties(db: Database, user: UserId): Rows<"parties"> {
  return pages<Export["parties"][number]>((after) =>
    db.execute(sql`
      SELECT p.party_id, p.title, p.content_id, p.status, ${stamp("start_time")} AS start_time,
        array_remove(ARRAY[CASE WHEN p.host_id = ${user} THEN 'host' END,
          CASE WHEN p.co_host_ids @> ARRAY[${user}::text] THEN 'co-host' END,
          CASE WHEN m.user_id IS NOT NULL THEN 'member' END], NULL) AS part,
        ${stamp("joined_at")} AS joined_at, ${stamp("left_at")} AS left_at
      FROM watch_parties p LEFT JOIN watch_party_members m ON m.party_id = p.party_id AND m.user_id = ${user}
      WHERE p.party_id IN (
        SELECT party_id FROM watch_parties WHERE host_id = ${user}
        UNION ALL SELECT party_id FROM watch_parties WHERE co_host_ids @> ARRAY[${user}::text]
        UNION ALL SELECT party_id FROM watch_party_members WHERE user_id = ${user}
      ) ${after ? sql`AND p.party_id > ${after.party_id}` : sql``}
      ORDER BY p.party_id LIMIT ${PAGE}
    `),
  );
}

/** What a user said in parties, a page at a time. */
export function exportedMessages(db: Database, user: UserId): Rows<"party_messages"> {
  return happened(db, user, "watch_party_messages", sql`name, text`);
}

/** What a user liked in parties, a page at a time. */
export function exportedLikes(db: Database, user: UserId): Rows<"party_likes"> {
  return happened(db, user, "watch_party_likes", sql`count`);
}

/** What else a user did in parties, a page at a time. */
export function exportedLogs(db: Database, user: UserId): Rows<"party_logs"> {
  return happened(db, user, "watch_party_logs", sql`event, data`);
}

function happened<Row extends Place>(
  db: Database,
  user: UserId,
  table: string,
  columns: SQL,
): AsyncGenerator<Row[]> {
  return pages<Row>((after) => {
    const from = after ? sql`AND (party_id, event_id) > (${after.party_id}, ${after.event_id})` : sql``;
    return db.execute(sql`
      SELECT party_id, event_id, ${stamp("at")} AS at, media_time, ${columns} FROM ${sql.identifier(table)}
      WHERE user_id = ${user} ${from} ORDER BY party_id, event_id LIMIT ${PAGE}
    `);
  });
}
