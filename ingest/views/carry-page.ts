import { sql } from "drizzle-orm";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import type { Projection } from "./project.ts";

/** Changes taken up at once; after an import hardly any of them has a viewer. */
const CHANGES_AT_ONCE = 500;
/** Viewers projected at once. */
const VIEWERS_AT_ONCE = 1_000;

/** What a page did: changes it took up, those of them that every viewer has now, viewers it projected. */
export type CarriedPage = { taken: number; contents: number; viewers: number };

/**
 * One page of catalogue changes on their way to the views: take up changes, project the viewers that come next,
 * remember how far that went.
 *
 * It is one transaction that locks the changes it took up: others pass them by, and whoever changes such a content
 * again waits for the page, and then has it start anew. A crash, a lost connection or a projection that fails gives
 * the page back whole, so it is repeated and never skipped.
 *
 * @throws when a store is away: try again.
 */
export async function carryPage({ db, project, catalogueMoved }: CarryPageDeps): Promise<CarriedPage> {
  return await inTransaction(db, async (tx) => {
    const changes = await takeUp(tx);
    if (changes.length === 0) return { taken: 0, contents: 0, viewers: 0 };
    const rows = await nextViewers(tx, changes);
    if (rows.length > 0) await project({ rows, cleared: new Map() }, tx);

    // A full page may have ended in the middle of a content; those behind it have not begun.
    const last = rows.length < VIEWERS_AT_ONCE ? undefined : rows.at(-1);
    const end = last ? changes.findIndex((change) => change.content_id === last.content_id) : changes.length;
    const finished = changes.slice(0, end);
    if (finished.length > 0) await catalogueMoved();
    await forget(tx, finished);
    if (last) await goOnAfter(tx, last, rows);
    return { taken: changes.length, contents: finished.length, viewers: rows.length };
  });
}

async function takeUp(tx: Transaction): Promise<Change[]> {
  const rows = await tx.execute(sql`
    SELECT content_id, after_user FROM content_changes
    ORDER BY content_id LIMIT ${CHANGES_AT_ONCE} FOR UPDATE SKIP LOCKED
  `);
  return rows as unknown as Change[];
}

/**
 * The current rows of those who come next, in the order of the changes and of their ids.
 *
 * Viewers are found content by content, so that the index gives them in order and the statement ends with the page.
 */
async function nextViewers(tx: Transaction, changes: readonly Change[]): Promise<StoredRow[]> {
  const contents = contentsOf(changes);
  const users = column(
    changes.map(({ after_user }) => after_user),
    "text",
  );
  const viewers = sql`(
    SELECT * FROM listitems
    WHERE content_id = change.content_id AND playlist = ${WATCH_HISTORY} AND user_id > change.after_user
    ORDER BY user_id LIMIT ${VIEWERS_AT_ONCE}
  )`;
  const rows = await tx.execute(sql`
    SELECT viewer.* FROM (
      SELECT * FROM unnest(${contents}, ${users}) AS u (content_id, after_user) ORDER BY content_id COLLATE "C"
    ) change
    CROSS JOIN LATERAL (${rowsOf(viewers)}) viewer
    ORDER BY change.content_id COLLATE "C", viewer.user_id LIMIT ${VIEWERS_AT_ONCE}
  `);
  return rows as unknown as StoredRow[];
}

async function forget(tx: Transaction, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.execute(sql`DELETE FROM content_changes WHERE content_id = ANY(${contentsOf(changes)})`);
}

async function goOnAfter(
  tx: Transaction,
  { content_id, user_id }: { content_id: ContentId; user_id: UserId },
  rows: readonly StoredRow[],
): Promise<void> {
  const viewers = rows.filter((row) => row.content_id === content_id).length;
  await tx.execute(sql`
    UPDATE content_changes SET after_user = ${user_id}, viewers = viewers + ${viewers}
    WHERE content_id = ${content_id}
  `);
}

function contentsOf(changes: readonly Change[]) {
  return column(
    changes.map(({ content_id }) => content_id),
    "text",
  );
}

type Change = { content_id: ContentId; after_user: string };
export type CarryPageDeps = {
  db: Database;
  /** Whatever it asks of Postgres goes through the transaction: those who wait for its locks may hold the pool. */
  project: (projection: Projection, tx: Transaction) => Promise<void>;
  /** Told before a change is let go of: whoever stored it may have had no Redis to say so, or died before. */
  catalogueMoved: () => Promise<void>;
};
