import {
  type CloudEvent,
  type Completion,
  contentCompleted,
  historyCleared,
  historyUpdated,
} from "../../db/contract/cloud-events.ts";
import type { Content } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { historyItem } from "../../db/contract/views.ts";
import type { StoredRow } from "../../db/postgres/rows.ts";
import { watchedItem } from "../../db/redis/records.ts";

/** What a turn made of histories: current rows, up to when whom a history was cleared, and plays that were completed. */
export type HistoryNews = {
  rows: readonly StoredRow[];
  cleared: ReadonlyMap<UserId, number>;
  completions: readonly Completion[];
};

/**
 * News of histories as events, under ids that are made of what is stored: whoever tells it again tells the same. Of
 * several rows of one item only the newest is told.
 *
 * @param contents what the catalogue says of them.
 * @param now for what nobody knows any more when it happened.
 */
export async function historyEvents(
  { rows, cleared, completions }: HistoryNews,
  contents: ReadonlyMap<ContentId, Content>,
  now: number,
): Promise<CloudEvent[]> {
  const events: CloudEvent[] = Array.from(cleared, ([user, at]) => historyCleared(user, at));
  for (const row of newest(rows)) {
    const { user_id, content_id, rev } = row;
    const item =
      row.watched_at === 0 ? null : historyItem(watchedItem(row, contents.get(content_id) ?? null));
    events.push(historyUpdated({ user_id, content_id, rev, item, at: happenedAt(row) }, now));
  }
  for (const completed of await Promise.all(completions.map(contentCompleted))) events.push(completed);
  return events;
}

/** When the newest thing happened that the row still says. */
function happenedAt({ watched_at, completed_at, deleted_at, said }: StoredRow): number {
  const [, marked_at = 0, , dismissed_at = 0] = said ?? [];
  return Math.max(watched_at, completed_at, deleted_at, marked_at, dismissed_at);
}

function newest(rows: readonly StoredRow[]): Iterable<StoredRow> {
  const byItem = new Map<string, StoredRow>();
  for (const row of rows) {
    const key = `${row.user_id} ${row.content_id}`;
    const known = byItem.get(key);
    if (known === undefined || known.rev < row.rev) byItem.set(key, row);
  }
  return byItem.values();
}
