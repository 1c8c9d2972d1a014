import { SignJWT } from "jose";

/** The secret of this bench's servers; they are gone when it ends. */
export const SECRET = "the-secret-of-one-bench-run";

export async function tokenFor(user: string, roles: readonly string[] = ["user"]): Promise<string> {
  return await new SignJWT({ roles })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime("2h")
    .sign(new TextEncoder().encode(SECRET));
}
