import type { WatchEvent } from "../../db/contract/events.ts";
import { type ContentId, compareIds, type UserId } from "../../db/contract/ids.ts";
import type { Pauses } from "../../db/contract/pauses.ts";
import { addToPlays, type PlayChange } from "./fold-plays.ts";

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
  marked: boolean;
  marked_at: number;
  dismissed: boolean;
  dismissed_at: number;
  deleted_at: number;
};

/** What a batch comes down to. */
export type Folded = {
  /** One change an item, sorted by key; every play is of one of them. */
  items: ItemChange[];
  /** One change a play, sorted by key. */
  plays: PlayChange[];
  /** Up to when whom a history was cleared. */
  cleared: Map<UserId, number>;
  /** Who paused a history, or went on with it. */
  pauses: Map<UserId, Pauses>;
};

/** Events with the user that they belong to. */
export type OwnedEvent = { user_id: UserId; event: WatchEvent };

/**
 * Collapses many events to one change an item. Any order and any duplication of the same events gives the
 * same result.
 */
export function fold(events: readonly OwnedEvent[]): Folded {
  const byItem = new Map<string, { item: ItemChange; plays: PlayChange[] }>();
  const cleared = new Map<UserId, number>();
  const pauses = new Map<UserId, { paused_at: number[]; resumed_at: number[] }>();
  for (const { user_id, event } of events) {
    if (event.type === "clear") {
      cleared.set(user_id, Math.max(cleared.get(user_id) ?? 0, event.occurred_at));
      continue;
    }
    if (event.type === "pause") {
      const theirs = pauses.get(user_id) ?? { paused_at: [], resumed_at: [] };
      (event.paused ? theirs.paused_at : theirs.resumed_at).push(event.occurred_at);
      pauses.set(user_id, theirs);
      continue;
    }
    // No id that was accepted holds a space: the key is unambiguous.
    const key = `${user_id} ${event.content_id}`;
    let its = byItem.get(key);
    if (its === undefined) {
      its = { item: untouched(user_id, event.content_id), plays: [] };
      byItem.set(key, its);
    }
    add(its.item, event);
    if (event.type === "heartbeat") addToPlays(its.plays, user_id, event);
  }
  const all = [...byItem.values()].sort((a, b) => byKey(a.item, b.item));
  // An item of which a clear left nothing stays for its plays: that they began is remembered, so that they stay forgotten.
  const items = all
    .map(({ item, plays }) => ({ item: masked(item, cleared.get(item.user_id) ?? 0), plays }))
    .filter(({ item, plays }) => plays.length > 0 || hasSomething(item))
    .map(({ item }) => item);
  const plays = all.flatMap((its) => its.plays.sort((a, b) => compareIds(a.play_id, b.play_id)));
  return { items, plays, cleared, pauses };
}

function hasSomething({ position_at, marked_at, dismissed_at, deleted_at }: ItemChange): boolean {
  return position_at > 0 || marked_at > 0 || dismissed_at > 0 || deleted_at > 0;
}

function byKey(a: ItemChange, b: ItemChange): number {
  return compareIds(a.user_id, b.user_id) || compareIds(a.content_id, b.content_id);
}

/** Each register takes what is newer by one total order, so that no two machines can disagree. */
function add(item: ItemChange, event: Exclude<WatchEvent, { type: "clear" | "pause" }>): void {
  const at = event.occurred_at;
  if (event.type === "forget") {
    item.deleted_at = Math.max(item.deleted_at, at);
  } else if (event.type === "mark") {
    if ((at - item.marked_at || Number(event.watched) - Number(item.marked)) > 0) {
      item.marked_at = at;
      item.marked = event.watched;
    }
  } else if (event.type === "dismissal") {
    if ((at - item.dismissed_at || Number(event.dismissed) - Number(item.dismissed)) > 0) {
      item.dismissed_at = at;
      item.dismissed = event.dismissed;
    }
  } else addHeartbeat(item, event);
}

function addHeartbeat(item: ItemChange, event: Extract<WatchEvent, { type: "heartbeat" }>): void {
  const at = event.occurred_at;
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
  const { marked, marked_at } = item.marked_at > mask ? item : nothing;
  const { dismissed, dismissed_at } = item.dismissed_at > mask ? item : nothing;
  return {
    ...item,
    ...{ playback_time, position_at, position_event_id },
    ...{ duration, duration_at, catalog_id, catalog_at },
    ...{ marked, marked_at, dismissed, dismissed_at },
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
    marked: false,
    marked_at: 0,
    dismissed: false,
    dismissed_at: 0,
    deleted_at: 0,
  };
}
