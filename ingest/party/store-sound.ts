import { StoredPartyRecord } from "../../db/contract/party-records.ts";
import { faultsOf } from "../../db/contract/refusals.ts";
import type { Buffered } from "./room-store.ts";

/** A record that nobody can store, and why. */
export type Poison = Buffered & { reason: string };

/**
 * Stores what waits. What is refused for its content is halved until the culprit is alone, so that its neighbours are
 * stored and it alone is set aside.
 *
 * @param store rejects with a poison error only when the content is at fault.
 * @returns the poison. @throws whatever is not poison: then some may be stored, and all of it comes again.
 */
export async function storeSound(
  waiting: readonly Buffered[],
  store: (records: readonly StoredPartyRecord[]) => Promise<void>,
  isPoison: (error: unknown) => boolean,
): Promise<Poison[]> {
  const poison: Poison[] = [];
  const sound: Sound[] = [];
  for (const its of waiting) {
    const read = readRecord(its.payload);
    if ("reason" in read) poison.push({ ...its, ...read });
    else sound.push({ ...its, ...read });
  }
  return [...poison, ...(await halve(sound))];

  async function halve(some: readonly Sound[]): Promise<Poison[]> {
    if (some.length === 0) return [];
    try {
      await store(some.map(({ record }) => record));
      return [];
    } catch (error) {
      if (!isPoison(error)) throw error;
      const [alone, another] = some;
      if (alone && !another) return [{ id: alone.id, payload: alone.payload, reason: reasonOf(error) }];
      const middle = Math.ceil(some.length / 2);
      return [...(await halve(some.slice(0, middle))), ...(await halve(some.slice(middle)))];
    }
  }
}

function readRecord(payload: string): { record: StoredPartyRecord } | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return { reason: "not JSON" };
  }
  const read = StoredPartyRecord.safeParse(value);
  if (read.success) return { record: read.data };
  const faults = faultsOf(read.error.issues).map(({ path, message }) => `${path}: ${message}`);
  return { reason: faults.join("; ") };
}

/** The database's own words; Drizzle's message would hold the statement. */
function reasonOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (!(at.cause instanceof Error)) return at.message;
  }
  return "refused";
}

type Sound = Buffered & { record: StoredPartyRecord };
