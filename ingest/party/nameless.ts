import type { UserId } from "../../db/contract/ids.ts";
import type { StoredPartyRecord } from "../../db/contract/party-records.ts";
import type { NamelessId } from "../../db/postgres/erase-parties.ts";

/** Everybody whom records name. */
export function usersIn(records: readonly StoredPartyRecord[]): UserId[] {
  const users = new Set<UserId>();
  for (const record of records) {
    if (record.user_id !== null) users.add(record.user_id);
    const other = otherIn(record);
    if (other !== null) users.add(other);
  }
  return [...users];
}

/**
 * A record that names nobody who was erased, as an erasure would leave it.
 *
 * @param erased who was, and since when they are accepted again; 0 while not.
 */
export function withoutErased(
  record: StoredPartyRecord,
  erased: ReadonlyMap<UserId, number>,
  nameless: NamelessId,
): StoredPartyRecord {
  const isErased = (user: UserId | null) => {
    const accepted_at = user === null ? undefined : erased.get(user);
    return accepted_at !== undefined && (accepted_at === 0 || record.at < accepted_at);
  };
  const its = isErased(otherIn(record)) ? withoutOther(record) : record;
  if (!isErased(its.user_id)) return its;
  if (its.kind !== "chat") return { ...its, user_id: null };
  return { ...its, user_id: null, name: null, event_id: nameless(its.event_id) };
}

/** To whom it was done. */
function otherIn(record: StoredPartyRecord): UserId | null {
  if (record.kind !== "log" || typeof record.data.user_id !== "string") return null;
  return record.data.user_id as UserId;
}

function withoutOther(record: StoredPartyRecord): StoredPartyRecord {
  if (record.kind !== "log") return record;
  const { user_id: _, ...data } = record.data;
  return { ...record, data };
}
