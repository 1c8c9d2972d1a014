import * as z from "zod";
import { ROLES, type Role } from "./contract/access-matrix.ts";
import type { Rates } from "./contract/limits.ts";

/** How every process reads its environment: pure, from a record, and all that is wrong is said at once. */

export const wholeNumber = z.coerce.number().int();
export const port = wholeNumber.min(0).max(65_535);

/** A URL with one of these protocols, such as `redis:`. */
export function url(...protocols: string[]) {
  return z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), {
    error: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  });
}

/** Origins of pages. */
export const origins = z
  .string()
  .transform((text) => text.split(",").map((origin) => origin.trim()))
  .refine((all) => all.every((origin) => URL.parse(origin)?.origin === origin), {
    error: "origins separated by commas, each like https://app.example.com",
  });

/** What whoever checks tokens needs to know. */
export const authVariables = {
  AUTH_SECRET: z.string().min(16).optional().describe("Secret of HS256 tokens, 16 characters at least"),
  AUTH_JWKS_URL: url("http:", "https:")
    .optional()
    .describe("Published keys of RS256, ES256, EdDSA tokens; instead of AUTH_SECRET"),
  AUTH_ISSUER: z.string().optional().describe("Required `iss`; any if unset"),
  AUTH_AUDIENCE: z.string().optional().describe("Required `aud`; any if unset"),
};

/** Bounds of what is accepted, the same at the edge and at ingest. */
export const acceptVariables = {
  BACKLOG_LIMIT: wholeNumber
    .min(1)
    .default(1_000_000)
    .describe("Events that may wait in the stream; past it writes get 503"),
  EVENT_MAX_AGE: wholeNumber.min(1).default(400).describe("Days; events that happened earlier are rejected"),
};

const ofRole = new RegExp(`^(${ROLES.join("|")})=(\\d{1,9})$`);

/** How often users may ask, the same at the edge and at ingest. */
export const limitVariables = {
  RATE_LIMIT_PER_MINUTE: wholeNumber
    .min(0)
    .default(200)
    .describe("Requests a user may make in any minute; past it 429; 0: no limit"),
  RATE_LIMIT_PER_ROLE: z
    .string()
    .refine((text) => text.split(",").every((one) => ofRole.test(one.trim())), {
      error: `roles with their limits, as service=0,support=600; the roles are ${ROLES.join(", ")}`,
    })
    .default("service=0,admin=0")
    .describe(
      "The limits of roles that have their own; who has several roles has the highest, and 0 is none",
    ),
};

export function ratesOf(its: { RATE_LIMIT_PER_MINUTE: number; RATE_LIMIT_PER_ROLE: string }): Rates {
  const own = its.RATE_LIMIT_PER_ROLE.split(",").map((one): [Role, number] => {
    const [role, limit] = one.trim().split("=");
    return [role as Role, Number(limit)];
  });
  return { perMinute: its.RATE_LIMIT_PER_MINUTE, perRole: Object.fromEntries(own) };
}

/** A rule over several variables, reported under the first of them together with whatever else is wrong. */
export function rule(variable: string, error: string) {
  return { path: [variable], error, when: () => true };
}

/** For a schema with `authVariables`: one way to check tokens, and only one. */
export function oneWayToCheckTokens(env: { AUTH_SECRET?: unknown; AUTH_JWKS_URL?: unknown }): boolean {
  return (env.AUTH_SECRET === undefined) !== (env.AUTH_JWKS_URL === undefined);
}
export const checkTokens = rule("AUTH_SECRET", "exactly one of AUTH_SECRET and AUTH_JWKS_URL is needed");

/** The settings of a process; an empty value counts as unset. @throws Error that lists every wrong variable. */
export function readEnvironment<T>(schema: z.ZodType<T>, env: Readonly<Record<string, unknown>>): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
  throw new Error(`The environment is not right:\n${faults.join("\n")}`);
}

export type Auth = {
  secret: string | undefined;
  jwksUrl: string | undefined;
  issuer: string | undefined;
  audience: string | undefined;
};

export function authOf(its: {
  AUTH_SECRET?: string | undefined;
  AUTH_JWKS_URL?: string | undefined;
  AUTH_ISSUER?: string | undefined;
  AUTH_AUDIENCE?: string | undefined;
}): Auth {
  return {
    secret: its.AUTH_SECRET,
    jwksUrl: its.AUTH_JWKS_URL,
    issuer: its.AUTH_ISSUER,
    audience: its.AUTH_AUDIENCE,
  };
}
