import { createLocalJWKSet, errors, type JWTVerifyGetKey, type RemoteJWKSet } from "jose";

/** How keys of an issuer are fetched; `createRemoteJWKSet` takes these. */
export const KEYS = {
  /** Keys are fetched anew when somebody asks and they are this old. */
  cacheMaxAge: 30_000,
  /** A token that names an unknown key has them fetched, but no sooner than this after the last time. */
  cooldownDuration: 5_000,
} as const;

/** For so long the keys that were seen last are good enough while their issuer is out of reach. */
const WITHOUT_ISSUER_MS = 600_000;

/**
 * The published keys of an issuer, as they come and go: one that is published is known at once (or after the cooldown),
 * one that is withdrawn is refused once the keys are fetched anew. While the issuer is out of reach the last keys stay, for ten
 * minutes, and it is asked no more often than the cooldown says, whoever sends whichever tokens.
 *
 * @throws what jose throws for a token that names no key, or what kept its keys from being fetched.
 */
export function publishedKeys(remote: Remote, now: () => number): JWTVerifyGetKey {
  let failed: { error: unknown; at: number } | null = null;
  let seenAt = Number.NEGATIVE_INFINITY;

  async function lastKnown(error: unknown, ...its: Parameters<JWTVerifyGetKey>) {
    const keys = remote.jwks();
    if (keys === undefined || now() >= seenAt + WITHOUT_ISSUER_MS) throw error;
    try {
      return await createLocalJWKSet(keys)(...its);
    } catch {
      throw error;
    }
  }

  return async function keyOf(...its) {
    if (failed && now() < failed.at + KEYS.cooldownDuration) return await lastKnown(failed.error, ...its);
    // One tries it again, and who comes meanwhile does not wait for that.
    if (failed) failed.at = now();
    try {
      const key = await remote(...its);
      failed = null;
      seenAt = now();
      return key;
    } catch (error) {
      if (!isKeyOutage(error)) throw error;
      failed = { error, at: now() };
      return await lastKnown(error, ...its);
    }
  };
}

/** The keys could not be fetched, which says nothing about the token. */
export function isKeyOutage(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  const ofKeys = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
  return ofKeys || error.code === errors.JOSEError.code;
}

type Remote = JWTVerifyGetKey & Pick<RemoteJWKSet, "jwks">;
