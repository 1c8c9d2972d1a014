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
 * same result, and folding parts and merging them gives the same as folding the whole.
 */
export function fold(events: readonly OwnedEvent[]): Folded {
  const byItem = new Map<string, ItemChange>();
  const cleared = new Map<UserId, number>();
  for (const { user_id, event } of events) {
    if (event.type === "clear") {
      cleared.set(user_id, Math.max(cleared.get(user_id) ?? 0, event.occurred_at));
      continue;
    }
    // No id holds a space: the key is unambiguous.
    const key = `${user_id} ${event.content_id}`;
    const change = changeOf(user_id, event);
    const known = byItem.get(key);
    byItem.set(key, known ? merge(known, change) : change);
  }
  const items = [...byItem.values()]
    .map((item) => masked(item, cleared.get(item.user_id) ?? 0))
    .filter((item) => item.position_at > 0 || item.deleted_at > 0);
  items.sort((a, b) => compareIds(a.user_id, b.user_id) || compareIds(a.content_id, b.content_id));
  return { items, cleared };
}

/** The newer of each register. Commutative, associative, idempotent. */
export function merge(a: ItemChange, b: ItemChange): ItemChange {
  const position = newerPosition(a, b) ? a : b;
  const duration = newerDuration(a, b) ? a : b;
  const catalog = newerCatalog(a, b) ? a : b;
  return {
    user_id: a.user_id,
    content_id: a.content_id,
    playback_time: position.playback_time,
    position_at: position.position_at,
    position_event_id: position.position_event_id,
    duration: duration.duration,
    duration_at: duration.duration_at,
    catalog_id: catalog.catalog_id,
    catalog_at: catalog.catalog_at,
    completed_at: Math.max(a.completed_at, b.completed_at),
    deleted_at: Math.max(a.deleted_at, b.deleted_at),
  };
}

/** Registers that a delete (or a clear) masks are empty: what is forgotten is not kept. */
export function masked(item: ItemChange, clearedAt: number): ItemChange {
  const mask = Math.max(item.deleted_at, clearedAt);
  if (mask === 0) return item;
  const forgotten = item.position_at <= mask;
  return {
    ...item,
    playback_time: forgotten ? 0 : item.playback_time,
    position_at: forgotten ? 0 : item.position_at,
    position_event_id: forgotten ? "" : item.position_event_id,
    duration: item.duration_at <= mask ? null : item.duration,
    duration_at: item.duration_at <= mask ? 0 : item.duration_at,
    catalog_id: item.catalog_at <= mask ? null : item.catalog_id,
    catalog_at: item.catalog_at <= mask ? 0 : item.catalog_at,
    completed_at: item.completed_at <= mask ? 0 : item.completed_at,
  };
}

function newerPosition(a: ItemChange, b: ItemChange): boolean {
  const order =
    a.position_at - b.position_at ||
    compareIds(a.position_event_id, b.position_event_id) ||
    a.playback_time - b.playback_time;
  return order > 0;
}

function newerDuration(a: ItemChange, b: ItemChange): boolean {
  return (a.duration_at - b.duration_at || (a.duration ?? 0) - (b.duration ?? 0)) > 0;
}

function newerCatalog(a: ItemChange, b: ItemChange): boolean {
  return (a.catalog_at - b.catalog_at || compareIds(a.catalog_id ?? "", b.catalog_id ?? "")) > 0;
}

function changeOf(user_id: UserId, event: Exclude<WatchEvent, { type: "clear" }>): ItemChange {
  const nothing: ItemChange = {
    user_id,
    content_id: event.content_id,
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
  const at = event.occurred_at;
  if (event.type === "forget") return { ...nothing, deleted_at: at };
  return {
    ...nothing,
    playback_time: event.playback_time,
    position_at: at,
    position_event_id: event.event_id,
    duration: event.duration,
    duration_at: event.duration === null ? 0 : at,
    catalog_id: event.catalog_id,
    catalog_at: event.catalog_id === null ? 0 : at,
    completed_at: event.completes ? at : 0,
  };
}
