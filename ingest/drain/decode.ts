import { type Entry, Payload } from "../../db/contract/events.ts";
import type { Poison, StreamEntry } from "../stream.ts";
import type { OwnedEvent } from "./fold.ts";

/** An event with the entry it came in, so that it can be set aside alone. */
export type DrainEvent = OwnedEvent & { entry: Entry; entryId: string };

/** Opens entries. One that is not an entry of ours is poison as a whole. */
export function decode(entries: readonly StreamEntry[]): { sound: DrainEvent[]; poison: Poison[] } {
  const sound: DrainEvent[] = [];
  const poison: Poison[] = [];
  for (const { id, payload, events } of entries) {
    const opened = open(payload);
    if (opened instanceof Error) {
      poison.push({ payload, events, reason: opened.message, entryId: id });
      continue;
    }
    for (const entry of opened) {
      for (const event of entry.events) sound.push({ user_id: entry.user_id, event, entry, entryId: id });
    }
  }
  return { sound, poison };
}

/** One event as an entry of its own, for quarantine. */
export function poisonOf({ entry, entryId, event }: DrainEvent, reason: string): Poison {
  return { payload: JSON.stringify([{ ...entry, events: [event] }]), events: 1, reason, entryId };
}

function open(payload: string): Entry[] | Error {
  try {
    const parsed = Payload.safeParse(JSON.parse(payload));
    return parsed.success
      ? parsed.data
      : new Error(`not an entry: ${parsed.error.issues[0]?.path.join(".")}`);
  } catch {
    return new Error("not JSON");
  }
}
