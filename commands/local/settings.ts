import * as z from "zod";
import { authVariables, readEnvironment, rule, url } from "../../db/environment.ts";
import { Environment as edge } from "../../edge/env.ts";
import { Environment as ingest } from "../../ingest/config.ts";
import { Environment as door } from "../../ingest/redis-rest/config.ts";
import { dataDir, type Env } from "./paths.ts";

export const RUNTIMES = ["workerd", "node", "deno"] as const;

/** What only the commands read: everything else is passed on to whoever reads it. */
export const localVariables = {
  EDGE_RUNTIME: z
    .enum(RUNTIMES)
    .default("workerd")
    .describe("What `npm start` and `npm run edge` run the edge on"),
  DATA_DIR: z.string().default(".playhead").describe("Where `npm start` keeps its stores, secrets and logs"),
};

const { EDGE_PORT, EDGE_HOST } = edge.shape;
const { INGEST_PORT, INGEST_HOST } = ingest.shape;
const { REDIS_REST_PORT, REDIS_REST_HOST } = door.shape;

const Environment = z
  .object({
    ...localVariables,
    ...{ EDGE_PORT, EDGE_HOST, INGEST_PORT, INGEST_HOST, REDIS_REST_PORT, REDIS_REST_HOST },
    DATABASE_URL: url("postgres:", "postgresql:").optional(),
    REDIS_URL: url("redis:", "rediss:").optional(),
    UPSTASH_REDIS_REST_URL: url("http:", "https:").optional(),
    UPSTASH_REDIS_REST_TOKEN: z.string().optional(),
    STREAM_REDIS_URL: z.string().optional(),
    STREAM_REDIS_REST_URL: z.string().optional(),
    AUTH_SECRET: authVariables.AUTH_SECRET,
    AUTH_JWKS_URL: authVariables.AUTH_JWKS_URL,
  })
  .refine(
    (env) => !env.AUTH_SECRET || !env.AUTH_JWKS_URL,
    rule("AUTH_SECRET", "not together with AUTH_JWKS_URL"),
  )
  .refine(
    (env) => !env.UPSTASH_REDIS_REST_URL || env.UPSTASH_REDIS_REST_TOKEN,
    rule("UPSTASH_REDIS_REST_TOKEN", "needed by UPSTASH_REDIS_REST_URL"),
  )
  .refine(
    (env) => !env.UPSTASH_REDIS_REST_URL || env.REDIS_URL,
    rule("REDIS_URL", "needed by UPSTASH_REDIS_REST_URL: ingest must write where the edge reads"),
  )
  .refine(
    (env) => !env.STREAM_REDIS_URL || env.STREAM_REDIS_REST_URL,
    rule("STREAM_REDIS_REST_URL", "needed by STREAM_REDIS_URL: the edge must append where ingest drains"),
  )
  .refine((env) => differ(env.EDGE_PORT, env.INGEST_PORT, env.REDIS_REST_PORT), {
    path: ["EDGE_PORT"],
    error: "must differ from INGEST_PORT and REDIS_REST_PORT, and they from each other",
  });

/** What `npm start` is to bring up. @throws Error that lists every wrong variable at once. */
export function localSettings(env: Env): LocalSettings {
  const its = readEnvironment(Environment, env);
  return {
    dataDir: dataDir(env),
    edge: { runtime: its.EDGE_RUNTIME, host: its.EDGE_HOST, port: its.EDGE_PORT },
    ingest: { host: its.INGEST_HOST, port: its.INGEST_PORT },
    door: { host: its.REDIS_REST_HOST, port: its.REDIS_REST_PORT },
    databaseUrl: its.DATABASE_URL,
    redisUrl: its.REDIS_URL,
    upstash:
      its.UPSTASH_REDIS_REST_URL && its.UPSTASH_REDIS_REST_TOKEN
        ? { url: its.UPSTASH_REDIS_REST_URL, token: its.UPSTASH_REDIS_REST_TOKEN }
        : undefined,
    authSecret: its.AUTH_SECRET,
    authJwksUrl: its.AUTH_JWKS_URL,
  };
}

/** 0 is a free port, another one each time. */
function differ(...ports: number[]): boolean {
  const wanted = ports.filter((port) => port !== 0);
  return new Set(wanted).size === wanted.length;
}

export type Runtime = (typeof RUNTIMES)[number];
export type Listener = { host: string; port: number };

export type LocalSettings = {
  dataDir: string;
  edge: Listener & { runtime: Runtime };
  ingest: Listener;
  door: Listener;
  /** Undefined: an embedded one. */
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  /** Undefined: a door of our own. */
  upstash: { url: string; token: string } | undefined;
  /** Undefined, without a JWKS URL: the one in secrets.json. */
  authSecret: string | undefined;
  authJwksUrl: string | undefined;
};
