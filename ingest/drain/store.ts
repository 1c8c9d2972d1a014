import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { StoredRow } from "../../db/postgres/rows.ts";
import type { HistoryRow } from "../../db/rows.ts";
import type { Folded } from "./fold.ts";
import { clearedUsers, emptyCleared, markCleared } from "./store-clears.ts";
import { storeItems } from "./store-items.ts";

/** What a turn has to project: the current row of every key that it touched, and the clears that it met. */
export type Stored = { rows: HistoryRow[]; cleared: Map<UserId, number> };

/**
 * Makes a folded batch durable.
 *
 * A clear is marked before rows are emptied, and a turn looks for marks after its rows are committed: of a clear
 * and a turn that race, at least one sees the other, so no row escapes both. Each statement commits by itself
 * and may be repeated.
 */
export async function store(db: Database, { items, cleared }: Folded): Promise<Stored> {
  const marked = await markCleared(db, cleared);
  const emptied = await emptyCleared(db, [...marked.keys()]);
  const stored = await storeItems(db, items);

  const met = await clearedUsers(db, [...new Set(stored.map((row) => row.user_id))]);
  const markOf = ({ user_id }: StoredRow) => met.get(user_id) ?? 0;
  const covered = stored.filter((row) => row.oldest_at !== null && row.oldest_at <= markOf(row));
  const caught = await emptyCleared(db, [...new Set(covered.map((row) => row.user_id))]);

  // A forgotten row that the mark covers needs no trace in the views: the mark itself keeps it out.
  const told = stored.filter((row) => row.position_at > 0 || row.deleted_at > markOf(row));
  return { rows: [...told, ...emptied, ...caught], cleared: new Map([...met, ...marked]) };
}
