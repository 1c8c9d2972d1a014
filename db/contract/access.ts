import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import { UserId } from "./ids.ts";
import { Refusal } from "./refusals.ts";

export const ROLES = ["user", "support", "service", "admin"] as const;
export type Role = (typeof ROLES)[number];

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

/** A verified token is not checked again for this long, nor past its expiry. */
const REMEMBER_MS = 60_000;
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
    const viewer: Viewer = { user_id: claims.data.sub, roles };
    const until = Math.min(claims.data.exp * 1000, now() + REMEMBER_MS);
    if (remembered.size >= REMEMBER_MAX) remembered.delete(remembered.keys().next().value ?? "");
    remembered.set(token, { viewer, until });
    return viewer;
  };
}

/** The keys could not be fetched, which says nothing about the token. */
function isKeyOutage(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return error instanceof errors.JWKSTimeout || error.code === errors.JOSEError.code;
}

/** The token of an `Authorization` header. */
export function bearerToken(authorization: string | null | undefined): string {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) throw new Refusal("unauthorized", "send `Authorization: Bearer <token>`");
  return token;
}

/** @throws Refusal `forbidden` unless it is the viewer's own data, or support, a service or an admin asks. */
export function mustRead(viewer: Viewer, owner: UserId): void {
  if (viewer.user_id === owner || hasRole(viewer, "support", "service", "admin")) return;
  throw new Refusal("forbidden", "this is somebody else's data");
}

/** @throws Refusal `forbidden` unless it is the viewer's own data, or a service or an admin asks. */
export function mustWrite(viewer: Viewer, owner: UserId): void {
  if (viewer.user_id === owner || hasRole(viewer, "service", "admin")) return;
  throw new Refusal("forbidden", "this is somebody else's data");
}

/** @throws Refusal `forbidden` unless a service or an admin asks. */
export function mustManageCatalogue(viewer: Viewer): void {
  if (hasRole(viewer, "service", "admin")) return;
  throw new Refusal("forbidden", "the catalogue is kept by services");
}

/** @throws Refusal `forbidden` unless a service or an admin asks. */
export function mustSeeAnalytics(viewer: Viewer): void {
  if (hasRole(viewer, "service", "admin")) return;
  throw new Refusal("forbidden", "analytics are for services");
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
  if (!hasRole(viewer, "service", "admin")) return viewer.user_id;
  return (await userOf(sessionId)) ?? (sessionId as UserId);
}

function hasRole(viewer: Viewer, ...roles: Role[]): boolean {
  return viewer.roles.some((role) => roles.includes(role));
}
