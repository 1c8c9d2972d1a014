import { sql } from "drizzle-orm";
import type { Content } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";

/** As many contents as a process remembers: what is watched now is a small part of a catalogue. */
const REMEMBERED = 20_000;

/** Asks the pool, or the transaction that the caller is in: who holds a connection must not wait for another one. */
export type ContentLookup = (
  of: readonly { content_id: ContentId }[],
  via?: Transaction,
) => Promise<Map<ContentId, Content>>;

/**
 * What the catalogue says of contents now. It is asked for their versions every time, and for those alone that are not
 * remembered as they are.
 *
 * Whoever projects rows asks after they are committed, and whoever carries a change looks for rows after the change is:
 * of a row and a change that race, at least one sees the other.
 */
export function contentLookup(db: Database, remember = REMEMBERED): ContentLookup {
  const known = new Map<ContentId, Content>();

  return async function lookUp(of, via = db) {
    const found = new Map<ContentId, Content>();
    const missing: ContentId[] = [];
    for (const { content_id, rev } of await loadVersions(via, [
      ...new Set(of.map((its) => its.content_id)),
    ])) {
      const content = known.get(content_id);
      if (content && content.rev >= rev) found.set(content_id, content);
      else missing.push(content_id);
    }
    if (missing.length === 0) return found;
    for (const content of await loadContents(via, missing)) {
      found.set(content.content_id, content);
      known.delete(content.content_id);
      known.set(content.content_id, content);
    }
    for (const oldest of known.keys()) {
      if (known.size <= remember) break;
      known.delete(oldest);
    }
    return found;
  };
}

async function loadVersions(
  via: Transaction,
  ids: readonly ContentId[],
): Promise<{ content_id: ContentId; rev: number }[]> {
  if (ids.length === 0) return [];
  const rows = await via.execute(
    sql`SELECT content_id, rev FROM contents WHERE content_id = ANY(${column(ids, "text")})`,
  );
  return rows as unknown as { content_id: ContentId; rev: number }[];
}

async function loadContents(via: Transaction, ids: readonly ContentId[]): Promise<Content[]> {
  const rows = await via.execute(sql`
    SELECT content_id, kind, title, thumbnail, duration, sport, series, teams, show, season, episode, credits_at,
      released_at, rev, removed
    FROM contents WHERE content_id = ANY(${column(ids, "text")})
  `);
  return rows as unknown as Content[];
}
