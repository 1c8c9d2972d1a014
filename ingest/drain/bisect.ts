import type { Poison } from "../stream.ts";
import { type DrainEvent, poisonOf } from "./decode.ts";
import { type Folded, fold } from "./fold.ts";
import type { Stored } from "./store.ts";

/**
 * Stores what a batch folded to. A batch that Postgres refuses for its content is halved until the culprit is alone,
 * so that its neighbours are stored and it alone is set aside, with the reason.
 *
 * @param eventsOf the events of the batch, asked for only when it is refused.
 * @param storeFolded rejects with a poison error only when the content is at fault: outages are its own matter.
 * @throws whatever is not poison.
 */
export async function storeSound(
  folded: Folded,
  eventsOf: () => readonly DrainEvent[],
  storeFolded: (folded: Folded, eventsOf: () => readonly DrainEvent[]) => Promise<Stored>,
  isPoison: (error: unknown) => boolean,
): Promise<{ stored: Stored; poison: Poison[] }> {
  try {
    return { stored: await storeFolded(folded, eventsOf), poison: [] };
  } catch (error) {
    if (!isPoison(error)) throw error;
    const events = eventsOf();
    const [alone, another] = events;
    if (alone && !another) return { stored: NOTHING, poison: [poisonOf(alone, reasonOf(error))] };

    const middle = Math.ceil(events.length / 2);
    const halve = (half: readonly DrainEvent[]) => storeSound(fold(half), () => half, storeFolded, isPoison);
    const left = await halve(events.slice(0, middle));
    const right = await halve(events.slice(middle));
    return {
      stored: {
        rows: [...left.stored.rows, ...right.stored.rows],
        cleared: new Map([...left.stored.cleared, ...right.stored.cleared]),
        completions: [...left.stored.completions, ...right.stored.completions],
      },
      poison: [...left.poison, ...right.poison],
    };
  }
}

const NOTHING: Stored = { rows: [], cleared: new Map(), completions: [] };

/** The database's own words; Drizzle's message would hold the statement. */
function reasonOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (!(at.cause instanceof Error)) return at.message;
  }
  return "refused";
}
