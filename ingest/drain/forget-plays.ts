import { sql } from "drizzle-orm";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { pausesOf, type Stretch } from "../../db/contract/pauses.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import type { Marks } from "./store-marks.ts";
import { storePlays } from "./store-plays.ts";

/** Forgets the plays that began in what these users cleared, or in a pause. */
export async function forgetPlays(db: Database, marks: ReadonlyMap<UserId, Marks>): Promise<void> {
  if (marks.size === 0) return;
  const stretches = [...marks].flatMap(([user_id, its]) =>
    forgottenBy(its).map((stretch) => ({ user_id, ...stretch })),
  );
  if (stretches.length === 0) return;
  await inTransaction(db, async (tx) => {
    const items = await lockPlayed(tx, stretches);
    const masks = stretches.flatMap((stretch) =>
      items.filter(({ user_id }) => user_id === stretch.user_id).map((item) => ({ ...item, ...stretch })),
    );
    await storePlays(tx, [], masks);
  });
}

/** What a user's marks take away. */
function forgottenBy(marks: Marks): Stretch[] {
  const cleared = marks.cleared_at > 0 ? [{ from: 1, to: marks.cleared_at }] : [];
  return [...cleared, ...pausesOf(marks)];
}

/** Locks the items with plays that began then, in the order in which turns lock them. */
async function lockPlayed(
  tx: Transaction,
  stretches: readonly (Stretch & { user_id: UserId })[],
): Promise<{ user_id: UserId; content_id: ContentId }[]> {
  const numbers = (name: keyof Stretch) =>
    column(
      stretches.map((stretch) => stretch[name]),
      "bigint",
    );
  const users = column(
    stretches.map(({ user_id }) => user_id),
    "text",
  );
  const rows = await tx.execute(sql`
    SELECT user_id, content_id FROM listitems
    WHERE playlist = ${WATCH_HISTORY} AND (user_id, content_id) IN (
      SELECT p.user_id, p.content_id
      FROM plays p JOIN unnest(${users}, ${numbers("from")}, ${numbers("to")}) AS s (user_id, masked_from, masked_to)
        ON p.user_id = s.user_id AND p.started_at BETWEEN s.masked_from AND s.masked_to
    )
    ORDER BY user_id, content_id FOR UPDATE
  `);
  return rows as unknown as { user_id: UserId; content_id: ContentId }[];
}
