import { sql } from "drizzle-orm";
import { watchlistUpdated } from "../../db/contract/cloud-events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import { WATCHLIST_MAX } from "../../db/contract/watchlist.ts";
import { WATCHLIST } from "../../db/postgres/schema/playlists.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { Change, Occurrence } from "./profile-writer.ts";

type Item = { user_id: UserId; content_id: ContentId };

/**
 * Puts an item on a watchlist; one that is there already stays where it is. The caller holds the user's lock.
 *
 * @throws Refusal `list_full`
 */
export async function addToWatchlist(
  tx: Transaction,
  { user_id, content_id }: Item,
  { id, at }: Occurrence,
): Promise<Change<null>> {
  const watchlist = sql`user_id = ${user_id} AND playlist = ${WATCHLIST}`;
  const rows = await tx.execute(sql`
    WITH added AS (
      INSERT INTO listitems (user_id, playlist, content_id, created_at)
      SELECT ${user_id}, ${WATCHLIST}, ${content_id}, to_timestamp(${at}::float8 / 1000)
      WHERE (SELECT count(*) FROM listitems WHERE ${watchlist}) < ${WATCHLIST_MAX}
      ON CONFLICT DO NOTHING RETURNING user_id
    ),
    lists AS (
      INSERT INTO playlists (user_id, name) SELECT user_id, ${WATCHLIST} FROM added ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM added) AS added,
      EXISTS (SELECT FROM listitems WHERE ${watchlist} AND content_id = ${content_id}) AS there
  `);
  const [{ added, there }] = rows as unknown as [{ added: boolean; there: boolean }];
  if (!added && !there) throw new Refusal("list_full", `a watchlist has ${WATCHLIST_MAX} items at most`);
  const event = added ? watchlistUpdated({ user_id, content_id, action: "added" }, { id, at }) : null;
  return { event, created: added, row: null };
}

/** Takes an item off a watchlist. The caller holds the user's lock, if there is anything of the user. */
export async function removeFromWatchlist(
  tx: Transaction,
  { user_id, content_id }: Item,
  { id, at }: Occurrence,
): Promise<Change<null>> {
  const rows = await tx.execute(sql`
    DELETE FROM listitems WHERE user_id = ${user_id} AND playlist = ${WATCHLIST} AND content_id = ${content_id}
    RETURNING content_id
  `);
  const removed = rows.length > 0;
  const event = removed ? watchlistUpdated({ user_id, content_id, action: "removed" }, { id, at }) : null;
  return { event, created: false, row: null };
}
