import type { Poison } from "../stream.ts";
import { type DrainEvent, poisonOf } from "./decode.ts";
import { type Folded, fold } from "./fold.ts";
import type { Stored } from "./store.ts";

/**
 * Stores a batch; one that Postgres refuses for its content is halved until the culprit is alone, so that its
 * neighbours are stored and it alone is set aside, with the reason.
 *
 * @param storeFolded rejects with a poison error only when the content is at fault: outages are its own matter.
 * @throws whatever is not poison.
 */
export async function storeSound(
  events: readonly DrainEvent[],
  storeFolded: (folded: Folded) => Promise<Stored>,
  isPoison: (error: unknown) => boolean,
): Promise<{ stored: Stored; poison: Poison[] }> {
  if (events.length === 0) return { stored: { rows: [], cleared: new Map() }, poison: [] };
  try {
    return { stored: await storeFolded(fold(events)), poison: [] };
  } catch (error) {
    if (!isPoison(error)) throw error;
    const [alone, another] = events;
    if (alone && !another) {
      return { stored: { rows: [], cleared: new Map() }, poison: [poisonOf(alone, reasonOf(error))] };
    }
  }
  const middle = Math.ceil(events.length / 2);
  const left = await storeSound(events.slice(0, middle), storeFolded, isPoison);
  const right = await storeSound(events.slice(middle), storeFolded, isPoison);
  return {
    stored: {
      rows: [...left.stored.rows, ...right.stored.rows],
      cleared: new Map([...left.stored.cleared, ...right.stored.cleared]),
    },
    poison: [...left.poison, ...right.poison],
  };
}

/** The database's own words; Drizzle's message would hold the statement. */
function reasonOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (!(at.cause instanceof Error)) return at.message;
  }
  return "refused";
}
