import { SignJWT } from "jose";

/** A token as an issuer with a shared secret would sign it. */
export function tokenFor(secret: string, user: string, options: TokenOptions = {}): Promise<string> {
  const { roles, expiresIn = "1h", claims = {} } = options;
  return new SignJWT({ ...(roles ? { roles } : {}), ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(secret));
}

export type TokenOptions = {
  roles?: readonly unknown[];
  /** `1h`, `-1h`, ... */
  expiresIn?: string;
  claims?: Record<string, unknown>;
};
