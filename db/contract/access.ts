import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import { ACCESS, READMITS, ROLES, type Role, type Route } from "./access-matrix.ts";
import { UserId } from "./ids.ts";
import { isKeyOutage } from "./published-keys.ts";
import { checked, Refusal } from "./refusals.ts";
import { UserPath } from "./requests.ts";
import { noLiveSession } from "./sessions.ts";

/** Who asks, from a verified token. */
export type Viewer = { user_id: UserId; roles: readonly Role[] };

/** How tokens are checked: one secret (HS256), or the published keys of an issuer. */
export type TokenRules = {
  key: { secret: Uint8Array } | { jwks: JWTVerifyGetKey };
  issuer?: string | undefined;
  audience?: string | undefined;
  now: () => number;
};

export type VerifyToken = (token: string) => Promise<Viewer>;

/**
 * A verified token is not checked again for this long, nor past its expiry. Published keys are as old at most
 * (`publishedKeys`), and the two together are the minute after which a withdrawn key opens nothing.
 */
const REMEMBER_MS = 30_000;
const REMEMBER_MAX = 10_000;

const Claims = z.object({
  sub: UserId,
  exp: z.number(),
  roles: z.array(z.string()).default(["user"]),
});

/**
 * The token check of both sides. Verified tokens are remembered, so that a heartbeat every 10 s does not pay
 * for a signature every time; a key that is withdrawn is therefore refused after a minute at the latest.
 *
 * @throws Refusal `unauthorized` for anything but a valid, unexpired token; `unavailable` when its keys cannot
 * be fetched.
 */
export function tokenVerifier(rules: TokenRules): VerifyToken {
  const { issuer, audience, now } = rules;
  const options = {
    algorithms: "secret" in rules.key ? ["HS256"] : ["RS256", "ES256", "EdDSA", "Ed25519"],
    requiredClaims: ["sub", "exp"],
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
  };
  const remembered = new Map<string, { viewer: Viewer; until: number }>();

  return async function verifyToken(token) {
    const known = remembered.get(token);
    if (known && known.until > now()) return known.viewer;
    remembered.delete(token);

    const currentDate = new Date(now());
    let payload: JWTPayload;
    try {
      ({ payload } =
        "secret" in rules.key
          ? await jwtVerify(token, rules.key.secret, { ...options, currentDate })
          : await jwtVerify(token, rules.key.jwks, { ...options, currentDate }));
    } catch (cause) {
      if (isKeyOutage(cause))
        throw new Refusal("unavailable", "the token's keys are out of reach", { cause });
      throw new Refusal("unauthorized", "the token is not valid", { cause });
    }
    const claims = Claims.safeParse(payload);
    if (!claims.success) throw new Refusal("unauthorized", "the token's claims are not valid");

    // An issuer has roles for others, too: they mean nothing here.
    const roles = claims.data.roles.filter((role): role is Role => ROLES.some((ours) => ours === role));
    const viewer: Viewer = { user_id: claims.data.sub, roles: roles.length > 0 ? roles : ["user"] };
    const until = Math.min(claims.data.exp * 1000, now() + REMEMBER_MS);
    if (remembered.size >= REMEMBER_MAX) remembered.delete(remembered.keys().next().value ?? "");
    remembered.set(token, { viewer, until });
    return viewer;
  };
}

/** The token of an `Authorization` header. */
export function bearerToken(authorization: string | null | undefined): string {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) throw new Refusal("unauthorized", "send `Authorization: Bearer <token>`");
  return token;
}

/**
 * Refuses what the matrix does not allow.
 *
 * @param owner whose data it is; null for what is nobody's in particular.
 * @throws Refusal `forbidden`, or `not_found` where the matrix hides what is there.
 */
export function mustBeAllowed(viewer: Viewer, route: Route, owner: UserId | null): void {
  if (isAllowed(viewer, route, owner)) return;
  const right = ACCESS[route];
  if (typeof right === "object" && "instead" in right && right.instead === "not_found") throw noLiveSession();
  throw new Refusal("forbidden", owner === null ? "this is for services" : "this is somebody else's data");
}

/**
 * The part of it that method and path decide by themselves. Where the owner is in the body, or in what is stored, the
 * handler goes on from here.
 *
 * @param named the `user_id` of the path, if it has one.
 * @throws Refusal as `mustBeAllowed`, `invalid_input` when what is named is no user.
 */
export function mustBeAllowedByPath(viewer: Viewer, route: Route, named: string | undefined): void {
  const right = ACCESS[route];
  if (typeof right === "object" && "all" in right) mustBeAllowed(viewer, route, null);
  else if (named === viewer.user_id) mustBeAllowed(viewer, route, viewer.user_id);
  else if (named !== undefined) mustBeAllowed(viewer, route, checked(UserPath, { user_id: named }).user_id);
}

/**
 * Whose history a playback session writes to. The path names a session or the user, but the token decides: only for a
 * service (or an admin) it is the session's user, or else the user that the path names.
 *
 * @param userOf the user of a session, as long as anybody remembers it. Asked for services and admins only.
 */
export async function sessionOwner(
  viewer: Viewer,
  sessionId: string,
  userOf: (sessionId: string) => Promise<UserId | null>,
): Promise<UserId> {
  const others = ACCESS["POST /users/:session_id/playlists/watchhistory"].others;
  if (!hasRole(viewer, others)) return viewer.user_id;
  return (await userOf(sessionId)) ?? (sessionId as UserId);
}

/** May this viewer's profile of somebody who was erased be taken? */
export function mayReadmit(viewer: Viewer): boolean {
  return hasRole(viewer, READMITS);
}

function isAllowed(viewer: Viewer, route: Route, owner: UserId | null): boolean {
  const right = ACCESS[route];
  if (right === "no token") return true;
  if ("all" in right) return hasRole(viewer, right.all);
  return hasRole(viewer, owner === viewer.user_id ? right.own : right.others);
}

function hasRole(viewer: Viewer, roles: readonly Role[]): boolean {
  return viewer.roles.some((role) => roles.includes(role));
}
