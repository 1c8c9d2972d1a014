import type { Completion } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { StoredRow } from "../../db/postgres/rows.ts";
import { inTransaction } from "../../db/postgres/transaction.ts";
import type { Folded } from "./fold.ts";
import type { PlayChange } from "./fold-plays.ts";
import type { KnownPlays } from "./known-plays.ts";
import { storeItems } from "./store-items.ts";
import type { Marks } from "./store-marks.ts";
import { type ChangedPlay, type PlayMask, storePlays } from "./store-plays.ts";

/**
 * Stores items and their plays in one transaction: everything of an item is behind its row's lock, its plays included.
 * Where no play has news there is nothing but the items.
 */
export async function storeBatch(
  db: Database,
  { items, plays }: Pick<Folded, "items" | "plays">,
  marks: ReadonlyMap<UserId, Marks>,
  known: KnownPlays,
): Promise<{ rows: StoredRow[]; completions: Completion[] }> {
  const sinceOf = (user: UserId) => marks.get(user)?.accepted_at ?? 0;
  const news = known.news(plays, sinceOf);
  const forgotten = items.filter(({ deleted_at }) => deleted_at > 0);
  if (news.length === 0 && forgotten.length === 0) {
    return { rows: await storeItems(db, items), completions: [] };
  }
  const touched = new Set([...forgotten, ...news].map(keyOf));
  const { rows, changed } = await inTransaction(db, async (tx) => {
    const rows = await storeItems(tx, items);
    const forgets = rows
      .filter((row) => row.deleted_at > 0 && touched.has(keyOf(row)))
      .map(({ user_id, content_id, deleted_at }) => ({ user_id, content_id, from: 1, to: deleted_at }));
    return { rows, changed: await storePlays(tx, news, [...forgets, ...clearsOf(news, marks)]) };
  });
  known.learn(news, changed, sinceOf);
  return { rows, completions: changed.flatMap(completionOf) };
}

function clearsOf(plays: readonly PlayChange[], marks: ReadonlyMap<UserId, Marks>): PlayMask[] {
  return plays.flatMap(({ user_id, content_id }) => {
    const to = marks.get(user_id)?.cleared_at ?? 0;
    return to > 0 ? [{ user_id, content_id, from: 1, to }] : [];
  });
}

function completionOf({
  user_id,
  content_id,
  play_id,
  started_at,
  completed_at,
  said,
}: ChangedPlay): Completion[] {
  return said && completed_at !== null ? [{ user_id, content_id, play_id, started_at, completed_at }] : [];
}

function keyOf({ user_id, content_id }: { user_id: string; content_id: string }): string {
  return `${user_id} ${content_id}`;
}
