import { sql } from "drizzle-orm";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Listed } from "../../db/contract/listed.ts";
import type { ListRequest } from "../../db/contract/pages.ts";
import type { Profile } from "../../db/contract/profiles.ts";
import type { Rated } from "../../db/contract/rated.ts";
import { WATCHLIST } from "../../db/postgres/schema/playlists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";

/**
 * Something that belongs to a user beside the history, with the version that it has: both as of one instant. The version
 * of somebody of whom there is nothing is 0.
 */
export type Versioned<Found> = { rev: number; found: Found };

/** What a user is called and likes; null when nobody put it. */
export async function loadProfile(via: Transaction, user: UserId): Promise<Versioned<Profile | null>> {
  const rows = await via.execute(sql`
    SELECT rev, name, avatar, preferences::text AS preferences, saved_at FROM profiles WHERE user_id = ${user}
  `);
  const [row] = rows as unknown as ProfileRow[];
  if (!row || row.saved_at === 0) return { rev: row?.rev ?? 0, found: null };
  const { rev, name, avatar, preferences, saved_at } = row;
  const updated_at = new Date(saved_at).toISOString();
  return { rev, found: { user_id: user, name, avatar, preferences: JSON.parse(preferences), updated_at } };
}

/** A whole watchlist, what was added last first, with what the catalogue says of it now. */
export async function loadWatchlist(via: Transaction, user: UserId): Promise<Versioned<ListedContent[]>> {
  const rows = await via.execute(sql`
    SELECT p.rev, l.content_id, l.added_at, c.title, c.thumbnail
    FROM (SELECT ${user}::text AS user_id) u
    LEFT JOIN profiles p USING (user_id)
    LEFT JOIN LATERAL (
      SELECT content_id, round(extract(epoch FROM created_at) * 1000)::bigint AS added_at FROM listitems
      WHERE user_id = ${user} AND playlist = ${WATCHLIST}
    ) l ON true
    LEFT JOIN contents c ON c.content_id = l.content_id AND NOT c.removed
    ORDER BY l.added_at DESC, l.content_id DESC
  `);
  return versioned(rows as unknown as Row<ListedContent>[]);
}

/** Up to `limit` ratings of a user after the cursor, what changed last first. */
export async function loadRatings(
  via: Transaction,
  user: UserId,
  { limit, after }: ListRequest,
): Promise<Versioned<Rated[]>> {
  const from = after ? sql`AND (rated_at, content_id) < (${after.watched_at}, ${after.content_id})` : sql``;
  const rows = await via.execute(sql`
    SELECT p.rev, r.content_id, r.rating, r.review, r.rated_at
    FROM (SELECT ${user}::text AS user_id) u
    LEFT JOIN profiles p USING (user_id)
    LEFT JOIN LATERAL (
      SELECT content_id, rating, review, rated_at FROM ratings WHERE user_id = ${user} ${from}
      ORDER BY rated_at DESC, content_id DESC LIMIT ${limit}
    ) r ON true
    ORDER BY r.rated_at DESC, r.content_id DESC
  `);
  return versioned(rows as unknown as Row<Rated>[]);
}

/** Of somebody without items there is one row all the same, and it says the version. */
function versioned<Item extends { content_id: ContentId }>(rows: readonly Row<Item>[]): Versioned<Item[]> {
  const found = rows.flatMap(({ rev: _, ...item }) =>
    item.content_id === null ? [] : [item as unknown as Item],
  );
  return { rev: rows[0]?.rev ?? 0, found };
}

/** An item without how far its viewer came. */
export type ListedContent = Omit<Listed, "progress">;
type Row<Item> = { [Name in keyof Item]: Item[Name] | null } & { rev: number | null };
type ProfileRow = {
  rev: number;
  name: string;
  avatar: string | null;
  preferences: string;
  saved_at: number;
};
