import * as z from "zod";

const wholeNumber = z.coerce.number().int();
const milliseconds = wholeNumber.min(1);
const url = (...protocols: string[]) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), {
    error: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  });

/** Newest items of a user that Redis holds, unless HISTORY_LIMIT says otherwise. */
export const DEFAULT_HISTORY_LIMIT = 2_000;

/** Every variable that ingest reads, with its default and in words. */
const Environment = z
  .object({
    INGEST_PORT: wholeNumber.min(0).max(65_535).default(8788).describe("Where ingest listens"),
    INGEST_HOST: z.string().default("127.0.0.1").describe("The interface that ingest listens on"),
    DATABASE_URL: url("postgres:", "postgresql:").describe("Postgres, the source of truth"),
    DATABASE_POOL: wholeNumber.min(2).max(500).default(30).describe("Connections to Postgres at most"),
    REDIS_URL: url("redis:", "rediss:").describe("Redis with the views"),
    STREAM_REDIS_URL: url("redis:", "rediss:")
      .optional()
      .describe("Redis with the stream; REDIS_URL if unset"),
    STREAM_REPLICAS: wholeNumber
      .min(0)
      .default(0)
      .describe("How many replicas must hold an event before it counts as accepted"),
    AUTH_SECRET: z.string().min(16).optional().describe("Secret of HS256 tokens, 16 characters at least"),
    AUTH_JWKS_URL: url("http:", "https:").optional().describe("Published keys of RS256, ES256, EdDSA tokens"),
    AUTH_ISSUER: z.string().optional().describe("Required `iss`; any if unset"),
    AUTH_AUDIENCE: z.string().optional().describe("Required `aud`; any if unset"),
    BACKLOG_LIMIT: wholeNumber
      .min(1)
      .default(1_000_000)
      .describe("Events that may wait in the stream; past it writes get 503"),
    EVENT_MAX_AGE: wholeNumber
      .min(1)
      .default(400)
      .describe("Days; events that happened earlier are rejected"),
    HISTORY_LIMIT: wholeNumber
      .min(1)
      .default(DEFAULT_HISTORY_LIMIT)
      .describe("Newest items of a user that Redis holds; older pages come from Postgres"),
    DRAIN_LINGER: wholeNumber.min(0).default(20).describe("Milliseconds a small batch waits for company"),
    RECLAIM_AFTER: milliseconds
      .default(30_000)
      .describe("Milliseconds after which entries of a silent consumer are taken over"),
    LOG_LEVEL: z
      .enum(["debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("What is logged"),
  })
  .refine((env) => (env.AUTH_SECRET === undefined) !== (env.AUTH_JWKS_URL === undefined), {
    error: "exactly one of AUTH_SECRET and AUTH_JWKS_URL is needed",
    path: ["AUTH_SECRET"],
    when: () => true,
  });

export type Config = {
  http: { port: number; host: string };
  postgres: { url: string; max: number };
  redis: { views: string; stream: string; streamReplicas: number };
  auth: {
    secret: string | undefined;
    jwksUrl: string | undefined;
    issuer: string | undefined;
    audience: string | undefined;
  };
  limits: { backlog: number; eventMaxAgeMs: number; history: number };
  drain: { lingerMs: number; reclaimAfterMs: number };
  logLevel: "debug" | "info" | "warn" | "error" | "silent";
};

/** The configuration of ingest. @throws Error that lists every wrong variable at once. */
export function ingestConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new Error(`The environment is not right:\n${faults.join("\n")}`);
  }
  const its = parsed.data;
  return {
    http: { port: its.INGEST_PORT, host: its.INGEST_HOST },
    postgres: { url: its.DATABASE_URL, max: its.DATABASE_POOL },
    redis: {
      views: its.REDIS_URL,
      stream: its.STREAM_REDIS_URL ?? its.REDIS_URL,
      streamReplicas: its.STREAM_REPLICAS,
    },
    auth: {
      secret: its.AUTH_SECRET,
      jwksUrl: its.AUTH_JWKS_URL,
      issuer: its.AUTH_ISSUER,
      audience: its.AUTH_AUDIENCE,
    },
    limits: {
      backlog: its.BACKLOG_LIMIT,
      eventMaxAgeMs: its.EVENT_MAX_AGE * 86_400_000,
      history: its.HISTORY_LIMIT,
    },
    drain: { lingerMs: its.DRAIN_LINGER, reclaimAfterMs: its.RECLAIM_AFTER },
    logLevel: its.LOG_LEVEL,
  };
}
