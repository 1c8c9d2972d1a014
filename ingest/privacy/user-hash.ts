import { createHmac } from "node:crypto";
import type { UserId } from "../../db/contract/ids.ts";
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
