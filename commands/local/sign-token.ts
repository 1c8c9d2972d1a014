import { SignJWT } from "jose";
import type { Role } from "../../db/contract/access-matrix.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Env } from "./paths.ts";

export const THIRTY_DAYS = 30 * 86_400;

/** A token that both sides accept, given the secret and the issuer and audience that they check. */
export async function signToken(options: {
  secret: string;
  user: UserId;
  roles?: readonly Role[];
  /** Seconds. */
  expiresIn?: number;
  env: Env;
}): Promise<string> {
  const { secret, user, roles = ["user"], expiresIn = THIRTY_DAYS, env } = options;
  const token = new SignJWT({ roles })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(`${expiresIn} s`);
  if (env.AUTH_ISSUER) token.setIssuer(env.AUTH_ISSUER);
  if (env.AUTH_AUDIENCE) token.setAudience(env.AUTH_AUDIENCE);
  return await token.sign(new TextEncoder().encode(secret));
}
