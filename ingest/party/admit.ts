import type { IncomingMessage } from "node:http";
import { decodeJwt } from "jose";
import type { VerifyToken, Viewer } from "../../db/contract/access.ts";
import { Refusal } from "../../db/contract/refusals.ts";

/** Nobody's token is longer. */
const MAX_TOKEN_CHARACTERS = 8_192;

/** Who comes, and until when its token holds, in epoch milliseconds. */
export type Admitted = { viewer: Viewer; until: number };

/**
 * The token of a handshake.
 *
 * @param auth what the client sent along: `{token}`.
 * @throws Refusal `unauthorized`, or `unavailable` when its keys cannot be fetched.
 */
export async function admitted(verifyToken: VerifyToken, auth: unknown): Promise<Admitted> {
  const token = typeof auth === "object" && auth !== null && "token" in auth ? auth.token : undefined;
  if (typeof token !== "string" || token.length > MAX_TOKEN_CHARACTERS) {
    throw new Refusal("unauthorized", "send a token in the handshake, as `auth.token`");
  }
  const viewer = await verifyToken(token);
  return { viewer, until: (decodeJwt(token).exp ?? 0) * 1_000 };
}

/**
 * May a page of this origin connect? Browsers send it with every WebSocket and do not ask for permission first, so it is
 * for the server to look; whoever is no browser sends none.
 */
export function mayConnect({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  return headers.origin === undefined || origins.includes(headers.origin);
}

/** A refused handshake, as Socket.IO tells it to the client: `connect_error` with this as its `data`. */
export function refusedHandshake(error: unknown): Error & { data: { code: string } } {
  const code = error instanceof Refusal ? error.code : "unavailable";
  return Object.assign(new Error(code), { data: { code } });
}
