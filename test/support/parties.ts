import { sql } from "drizzle-orm";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Party } from "../../db/contract/parties.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { namelessId, userHash } from "../../ingest/privacy/user-hash.ts";
import type { PublishedEvent } from "./sessions.ts";

/** A public party of alice that is to begin in an hour. */
export function partyOf(party_id: string, its: Partial<Party> = {}): Party {
  return {
    ...{ party_id, title: "The Final", content_id: "match" as ContentId, host_id: "alice" as UserId },
    ...{ co_host_ids: [], visibility: "public", invite_code: `invite-${party_id}`, status: "SCHEDULED" },
    ...{ start_time: Date.UTC(2026, 0, 1, 1), end_time: 0, started_at: 0, ended_at: 0, flushed_at: 0 },
    ...{ peak_viewers: null, average_viewers: null },
    ...its,
  };
}

/** Puts parties where they are, as they are. */
export async function storeParties(db: Database, ...parties: Party[]): Promise<void> {
  for (const its of parties) {
    await db.execute(sql`
      INSERT INTO watch_parties VALUES (${its.party_id}, ${its.title}, ${its.content_id}, ${its.host_id},
        ${column(its.co_host_ids, "text")}, ${its.visibility}, ${its.invite_code}, ${its.status},
        ${its.start_time}, ${its.end_time}, ${its.started_at}, ${its.ended_at}, ${its.flushed_at},
        ${its.peak_viewers}, ${its.average_viewers})
    `);
  }
}

/** Remembers from now on what is put in the outbox, whoever takes it out of there. */
export async function rememberOutbox(db: Database): Promise<void> {
  await db.execute(sql`CREATE TABLE told (seq bigserial, event text)`);
  await db.execute(sql`
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO told (event) VALUES (NEW.event); RETURN NULL; END'
  `);
  await db.execute(sql`CREATE TRIGGER tell AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION tell()`);
}

/** The events that were committed since then, oldest first. */
export async function committedEvents(db: Database): Promise<PublishedEvent[]> {
  const rows = await db.execute(sql`SELECT event FROM told ORDER BY seq`);
  return (rows as unknown as { event: string }[]).map(({ event }) => JSON.parse(event));
}

/** Nobody was erased. */
export const ADMITS = { refuseErased: async () => {} };

/** How who was erased is remembered. */
export const KEYED = {
  hashOf: userHash("a key that only tests know"),
  nameless: namelessId("a key that only tests know"),
};
