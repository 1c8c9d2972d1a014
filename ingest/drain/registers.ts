import type { ItemChange } from "./fold.ts";

/**
 * The registers of an item. Of each: its columns, with what they hold when it is empty. The first is its stamp, and
 * all of them, in this order, say which of two is newer.
 */
export type Register = Readonly<Partial<Record<keyof ItemChange, string>>>;

const POSITION: Register = { position_at: "0", position_event_id: "''", playback_time: "0" };
const DURATION: Register = { duration_at: "0", duration: "NULL" };
const CATALOG: Register = { catalog_at: "0", catalog_id: "NULL" };
const COMPLETION: Register = { completed_at: "0" };
const MARK: Register = { marked_at: "0", marked: "false" };
const DISMISSAL: Register = { dismissed_at: "0", dismissed: "false" };

/** What heartbeats write. */
export const WATCHED = [POSITION, DURATION, CATALOG, COMPLETION];
export const REGISTERS = [...WATCHED, MARK, DISMISSAL];

export function columnsOf(register: Register): (keyof ItemChange)[] {
  return Object.keys(register) as (keyof ItemChange)[];
}

export function stampOf(register: Register): keyof ItemChange {
  const [stamp = "position_at"] = columnsOf(register);
  return stamp;
}
