import { EVENT_TYPES, type EventType } from "../../db/contract/event-data.ts";

/** An event as it sits on the bus. */
export type BusEntry = {
  id: string;
  user: string;
  /** A CloudEvent, as JSON. */
  event: string;
};

export type RawEntry = [id: string, fields: string[] | null];

export function busEntry([id, fields]: RawEntry): BusEntry {
  return { id, user: fieldOf(fields, "user"), event: fieldOf(fields, "event") };
}

/** The value of a field; "" when there is none. */
export function fieldOf(fields: readonly string[] | null, name: string): string {
  const at = fields?.findIndex((field, index) => index % 2 === 0 && field === name) ?? -1;
  return at < 0 ? "" : (fields?.[at + 1] ?? "");
}

/** What whoever forwards an event needs to know of it; null when it is none of ours. */
export function namesOf({ event }: BusEntry): { id: string; type: EventType; source: string } | null {
  try {
    const { id, type, source } = JSON.parse(event);
    const ours = typeof id === "string" && typeof source === "string" && EVENT_TYPES.includes(type);
    return ours ? { id, type, source } : null;
  } catch {
    return null;
  }
}
