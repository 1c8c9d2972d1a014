import { hash, timingSafeEqual } from "node:crypto";

/**
 * Builds the check of an `Authorization` header against the one token that opens the door.
 * Both sides are hashed first, so the time it takes tells neither the token's length nor its beginning.
 */
export function bearerCheck(token: string): (authorization: string | undefined) => boolean {
  if (token === "") throw new Error("the door needs a token: an empty one would let everybody in");
  const expected = digest(token);

  return (authorization = "") => {
    const given = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? "";
    return timingSafeEqual(digest(given), expected);
  };
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
