import { type SQL, sql } from "drizzle-orm";
import type { ContentFacts } from "../../db/contract/contents.ts";

/** The columns of what the catalogue says of a content, with their types; the compiler demands each of them. */
const TYPES: Record<keyof ContentFacts, string> = {
  kind: "text",
  title: "text",
  thumbnail: "text",
  duration: "float8",
  sport: "text",
  series: "text",
  teams: "text[]",
  show: "text",
  season: "int",
  episode: "int",
  credits_at: "float8",
  released_at: "bigint",
};

/** `kind, title, ...`: each column, as it is said here. */
export function factColumns(say: (name: string, type: string) => string = (name) => name): SQL {
  return sql.raw(
    Object.entries(TYPES)
      .map(([name, type]) => say(name, type))
      .join(", "),
  );
}

/**
 * Queues the changes of a CTE (content_id, rev), to be carried to everybody who watched: from the first viewer on,
 * also when an earlier change is still on its way.
 */
export function queueChanges(changed: SQL): SQL {
  return sql`INSERT INTO content_changes (content_id, rev) SELECT content_id, rev FROM ${changed} ORDER BY content_id
    ON CONFLICT (content_id) DO UPDATE SET rev = excluded.rev, after_user = '', viewers = 0`;
}
