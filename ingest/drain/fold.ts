import type { WatchEvent } from "../../db/contract/events.ts";
import { type ContentId, compareIds, type UserId } from "../../db/contract/ids.ts";

/**
 * What a batch says of one item: registers, each with its stamp (epoch milliseconds, 0 for never). Every
 * register keeps its newest, and `deleted_at` masks every stamp up to its own.
 */
export type ItemChange = {
  user_id: UserId;
  content_id: ContentId;
  playback_time: number;
  position_at: number;
  position_event_id: string;
  duration: number | null;
  duration_at: number;
  catalog_id: string | null;
  catalog_at: number;
  completed_at: number;
  deleted_at: number;
};

/** What a batch comes down to: one change an item, sorted by key, and up to when whom a history was cleared. */
export type Folded = { items: ItemChange[]; cleared: Map<UserId, number> };

/** Events with the user that they belong to. */
export type OwnedEvent = { user_id: UserId; event: WatchEvent };

/**
 * Collapses many events to one change an item. Any order and any duplication of the same events gives the
 * same result.
 */
export function fold(events: readonly OwnedEvent[]): Folded {
  const byItem = new Map<string, ItemChange>();
  const cleared = new Map<UserId, number>();
  for (const { user_id, event } of events) {
    if (event.type === "clear") {
      cleared.set(user_id, Math.max(cleared.get(user_id) ?? 0, event.occurred_at));
      continue;
    }
    // No id that was accepted holds a space: the key is unambiguous.
    const key = `${user_id} ${event.content_id}`;
    let item = byItem.get(key);
    if (item === undefined) {
      item = untouched(user_id, event.content_id);
      byItem.set(key, item);
    }
    add(item, event);
  }
  const items = [...byItem.values()]
    .map((item) => masked(item, cleared.get(item.user_id) ?? 0))
    .filter((item) => item.position_at > 0 || item.deleted_at > 0);
  items.sort((a, b) => compareIds(a.user_id, b.user_id) || compareIds(a.content_id, b.content_id));
  return { items, cleared };
}

/** Each register takes what is newer by one total order, so that no two machines can disagree. */
function add(item: ItemChange, event: Exclude<WatchEvent, { type: "clear" }>): void {
  const at = event.occurred_at;
  if (event.type === "forget") {
    item.deleted_at = Math.max(item.deleted_at, at);
    return;
  }
  const { event_id, playback_time, duration, catalog_id } = event;
  const position =
    at - item.position_at ||
    compareIds(event_id, item.position_event_id) ||
    playback_time - item.playback_time;
  if (position > 0) {
    item.position_at = at;
    item.position_event_id = event_id;
    item.playback_time = playback_time;
  }
  if (duration !== null && (at - item.duration_at || duration - (item.duration ?? 0)) > 0) {
    item.duration_at = at;
    item.duration = duration;
  }
  if (catalog_id !== null && (at - item.catalog_at || compareIds(catalog_id, item.catalog_id ?? "")) > 0) {
    item.catalog_at = at;
    item.catalog_id = catalog_id;
  }
  if (event.completes) item.completed_at = Math.max(item.completed_at, at);
}

/** Registers that a delete (or a clear) masks are empty: what is forgotten is not kept. */
function masked(item: ItemChange, clearedAt: number): ItemChange {
  const mask = Math.max(item.deleted_at, clearedAt);
  if (mask === 0) return item;
  const nothing = untouched(item.user_id, item.content_id);
  const { playback_time, position_at, position_event_id } = item.position_at > mask ? item : nothing;
  const { duration, duration_at } = item.duration_at > mask ? item : nothing;
  const { catalog_id, catalog_at } = item.catalog_at > mask ? item : nothing;
  return {
    ...item,
    ...{ playback_time, position_at, position_event_id },
    ...{ duration, duration_at, catalog_id, catalog_at },
    completed_at: item.completed_at > mask ? item.completed_at : 0,
  };
}

function untouched(user_id: UserId, content_id: ContentId): ItemChange {
  return {
    user_id,
    content_id,
    playback_time: 0,
    position_at: 0,
    position_event_id: "",
    duration: null,
    duration_at: 0,
    catalog_id: null,
    catalog_at: 0,
    completed_at: 0,
    deleted_at: 0,
  };
}
