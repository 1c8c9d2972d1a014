import { sql } from "drizzle-orm";
import type { Content } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";

/** As many contents as a process remembers: what is watched now is a small part of a catalogue. */
const REMEMBERED = 20_000;

/** Which content is meant, and which version of it was seen; 0 when the catalogue did not know it. */
type Seen = { content_id: ContentId; content_rev: number };

export type ContentLookup = (seen: readonly Seen[]) => Promise<Map<ContentId, Content>>;

/**
 * What the catalogue says of contents. A row names the version that it saw, so what is remembered is as good as read
 * anew unless it is older: heartbeats of a popular title do not load it again and again.
 */
export function contentLookup(db: Database, remember = REMEMBERED): ContentLookup {
  const known = new Map<ContentId, Content>();

  return async function lookUp(seen) {
    const found = new Map<ContentId, Content>();
    const missing = new Set<ContentId>();
    for (const { content_id, content_rev } of seen) {
      if ((found.get(content_id)?.rev ?? 0) >= content_rev) continue;
      const content = known.get(content_id);
      if (content && content.rev >= content_rev) found.set(content_id, content);
      else missing.add(content_id);
    }
    if (missing.size === 0) return found;
    for (const content of await loadContents(db, [...missing])) {
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

async function loadContents(db: Database, ids: readonly ContentId[]): Promise<Content[]> {
  const rows = await db.execute(sql`
    SELECT content_id, kind, title, thumbnail, duration, sport, series, teams, show, season, episode, credits_at,
      released_at, rev, removed
    FROM contents WHERE content_id = ANY(${column(ids, "text")})
  `);
  return rows as unknown as Content[];
}
