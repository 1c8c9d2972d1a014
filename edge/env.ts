import * as z from "zod";

const wholeNumber = z.coerce.number().int();
const httpUrl = z
  .string()
  .refine((text) => ["http:", "https:"].includes(URL.parse(text)?.protocol ?? ""), {
    error: "a URL that begins with http:// or https://",
  })
  .transform((text) => text.replace(/\/+$/, ""));
const origins = z
  .string()
  .transform((text) => text.split(",").map((origin) => origin.trim()))
  .refine((all) => all.every((origin) => URL.parse(origin)?.origin === origin), {
    error: "origins separated by commas, each like https://app.example.com",
  });

/** Every variable that the edge reads, with its default and in words. */
export const Environment = z
  .object({
    UPSTASH_REDIS_REST_URL: httpUrl.describe("The door to Redis with the views and the stream"),
    UPSTASH_REDIS_REST_TOKEN: z.string().min(1).describe("The token that opens that door"),
    STREAM_REDIS_REST_URL: httpUrl
      .optional()
      .describe("The door to Redis with the stream, where that is another one (STREAM_REDIS_URL of ingest)"),
    STREAM_REDIS_REST_TOKEN: z.string().min(1).optional().describe("The token that opens that other door"),
    INGEST_URL: httpUrl.describe("Where writes go, and reads that Redis cannot answer"),
    AUTH_SECRET: z.string().min(16).optional().describe("Secret of HS256 tokens, 16 characters at least"),
    AUTH_JWKS_URL: httpUrl.optional().describe("Published keys of RS256, ES256, EdDSA tokens"),
    AUTH_ISSUER: z.string().optional().describe("Required `iss`; any if unset"),
    AUTH_AUDIENCE: z.string().optional().describe("Required `aud`; any if unset"),
    CORS_ORIGINS: origins.default([]).describe("Origins whose pages may ask, separated by commas"),
    BACKLOG_LIMIT: wholeNumber
      .min(1)
      .default(1_000_000)
      .describe("Events that may wait in the stream; past it writes get 503"),
    EVENT_MAX_AGE: wholeNumber
      .min(1)
      .default(400)
      .describe("Days; events that happened earlier are rejected"),
    EDGE_PORT: wholeNumber.min(0).max(65_535).default(8787).describe("Where the edge listens (Node, Deno)"),
    EDGE_HOST: z.string().default("127.0.0.1").describe("The interface it listens on (Node, Deno)"),
  })
  .refine((env) => (env.AUTH_SECRET === undefined) !== (env.AUTH_JWKS_URL === undefined), {
    error: "exactly one of AUTH_SECRET and AUTH_JWKS_URL is needed",
    path: ["AUTH_SECRET"],
    when: () => true,
  })
  .refine(
    (env) => (env.STREAM_REDIS_REST_URL === undefined) === (env.STREAM_REDIS_REST_TOKEN === undefined),
    {
      error: "STREAM_REDIS_REST_URL and STREAM_REDIS_REST_TOKEN go together",
      path: ["STREAM_REDIS_REST_URL"],
      when: () => true,
    },
  );

export type EdgeConfig = {
  redis: { url: string; token: string };
  streamRedis: { url: string; token: string };
  ingestUrl: string;
  auth: {
    secret: string | undefined;
    jwksUrl: string | undefined;
    issuer: string | undefined;
    audience: string | undefined;
  };
  corsOrigins: string[];
  limits: { backlog: number; eventMaxAgeMs: number };
  http: { port: number; host: string };
};

/** The configuration of the edge, on any runtime. @throws Error that lists every wrong variable at once. */
export function edgeConfig(env: Readonly<Record<string, unknown>>): EdgeConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new Error(`The environment is not right:\n${faults.join("\n")}`);
  }
  const its = parsed.data;
  const redis = { url: its.UPSTASH_REDIS_REST_URL, token: its.UPSTASH_REDIS_REST_TOKEN };
  const { STREAM_REDIS_REST_URL: url, STREAM_REDIS_REST_TOKEN: token } = its;
  return {
    redis,
    streamRedis: url && token ? { url, token } : redis,
    ingestUrl: its.INGEST_URL,
    auth: {
      secret: its.AUTH_SECRET,
      jwksUrl: its.AUTH_JWKS_URL,
      issuer: its.AUTH_ISSUER,
      audience: its.AUTH_AUDIENCE,
    },
    corsOrigins: its.CORS_ORIGINS,
    limits: { backlog: its.BACKLOG_LIMIT, eventMaxAgeMs: its.EVENT_MAX_AGE * 86_400_000 },
    http: { port: its.EDGE_PORT, host: its.EDGE_HOST },
  };
}
