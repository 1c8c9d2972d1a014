import { type SQL, sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import { pausesOf } from "../../db/contract/pauses.ts";
import type { Export } from "../../db/contract/privacy.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { WATCH_HISTORY, WATCHLIST } from "../../db/postgres/schema/playlists.ts";
import { iso, PAGE, pages, stamp } from "./export-rows.ts";

type Rows<Part extends "watchlist" | "ratings" | "history" | "plays"> = AsyncGenerator<Export[Part]>;

/** The watchlist of a user, in the order of its contents, a page at a time. */
export function exportedWatchlist(db: Database, user: UserId): Rows<"watchlist"> {
  return pages((after) => {
    const its = sql`SELECT content_id, ${iso("created_at")} AS added_at FROM listitems`;
    return db.execute(sql`${its} WHERE user_id = ${user} AND playlist = ${WATCHLIST} ${following(after)}`);
  });
}

/** The ratings of a user, in the order of their contents, a page at a time. */
export function exportedRatings(db: Database, user: UserId): Rows<"ratings"> {
  return pages((after) =>
    db.execute(sql`
      SELECT content_id, rating, review, ${stamp("rated_at")} AS rated_at, ${iso("created_at")} AS created_at
      FROM ratings WHERE user_id = ${user} ${following(after)}
    `),
  );
}

/** The history of a user with all its registers, in the order of its contents, a page at a time. */
export function exportedHistory(db: Database, user: UserId): Rows<"history"> {
  const stamps = ["catalog_at", "position_at", "duration_at", "completed_at", "marked_at", "dismissed_at"];
  const columns = sql.join(
    stamps.map((name) => sql`${stamp(name)} AS ${sql.identifier(name)}`),
    sql`, `,
  );
  return pages((after) =>
    db.execute(sql`
      SELECT content_id, catalog_id, playback_time, position_event_id, duration, marked AS marked_watched, dismissed,
        ${columns}, ${stamp("deleted_at")} AS forgotten_at, ${iso("created_at")} AS created_at,
        ${iso("updated_at")} AS updated_at
      FROM listitems WHERE user_id = ${user} AND playlist = ${WATCH_HISTORY} ${following(after)}
    `),
  );
}

/** The plays of a user, in the order of their keys, a page at a time. */
export function exportedPlays(db: Database, user: UserId): Rows<"plays"> {
  return pages((after) => {
    const from = after ? sql`AND (content_id, play_id) > (${after.content_id}, ${after.play_id})` : sql``;
    return db.execute(sql`
      SELECT content_id, play_id, ${stamp("started_at")} AS started_at, ${stamp("completed_at")} AS completed_at, reached
      FROM plays WHERE user_id = ${user} ${from} ORDER BY content_id, play_id LIMIT ${PAGE}
    `);
  });
}

export async function exportedSettings(db: Database, user: UserId): Promise<Export["history_settings"]> {
  const rows = await db.execute(sql`
    SELECT cleared_at, paused_at, resumed_at FROM history_users WHERE user_id = ${user}
  `);
  const [its] = rows as unknown as { cleared_at: number; paused_at: number[]; resumed_at: number[] }[];
  const pauses = its ? pausesOf(its) : [];
  return {
    cleared_at: its?.cleared_at ? isoTime(its.cleared_at) : null,
    pauses: pauses.map(({ from, to }) => ({
      from: isoTime(from),
      to: to === Number.MAX_SAFE_INTEGER ? null : isoTime(to),
    })),
  };
}

function following(after: { content_id: string } | null): SQL {
  const from = after ? sql`AND content_id > ${after.content_id}` : sql``;
  return sql`${from} ORDER BY content_id LIMIT ${PAGE}`;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
