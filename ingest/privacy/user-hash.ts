import { createHmac } from "node:crypto";
import type { UserId } from "../../db/contract/ids.ts";
import type { NamelessId } from "../../db/postgres/erase-parties.ts";
import type { HashOf } from "../../db/postgres/erased.ts";

/** Users whose hash a process remembers: everybody who is watching, or nearly. */
const REMEMBERED = 100_000;

/**
 * What stands for a user who was erased: nobody can tell whose it is without the key. HMAC-SHA256; no token that the same
 * key may sign begins as what is hashed here does.
 */
export function userHash(key: string, remember = REMEMBERED): HashOf {
  const known = new Map<UserId, string>();
  return function hashOf(user) {
    const remembered = known.get(user);
    if (remembered !== undefined) return remembered;
    const hash = createHmac("sha256", key).update(`erased: ${user}`).digest("base64url");
    if (known.size >= remember) known.delete(known.keys().next().value ?? user);
    known.set(user, hash);
    return hash;
  };
}

/** What stands for the id of an event that names its user. */
export function namelessId(key: string): NamelessId {
  return (event_id) => createHmac("sha256", key).update(`nameless: ${event_id}`).digest("base64url");
}
