import * as z from "zod";
import type { Rates } from "../db/contract/limits.ts";
import {
  type Auth,
  acceptVariables,
  authOf,
  authVariables,
  checkTokens,
  limitVariables,
  oneWayToCheckTokens,
  origins,
  port,
  ratesOf,
  readEnvironment,
  rule,
  url,
  wholeNumber,
} from "../db/environment.ts";

import { MODELS, type ModelName } from "../db/redis/index/model.ts";
import { type TraceConfig, traceConfigOf, traceVariables } from "../db/trace/config.ts";
import { type BusConfig, busOf, busVariables, saslWhole, tlsOn, webhookWhole } from "./bus/config.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
const redisUrl = url("redis:", "rediss:");

/** What everything that writes views must agree on, the commands included. */
export const viewVariables = {
  HISTORY_INDEX: z
    .enum(["auto", ...MODELS])
    .default("auto")
    .describe(
      "How records are found by dimension; auto: redisearch on one Redis with the module, else sorted-sets",
    ),
  HISTORY_LIMIT: wholeNumber
    .min(1)
    .default(2_000)
    .describe("Newest items of a user that Redis holds; older pages come from Postgres"),
};

/** Every variable that ingest reads, with its default and in words. */
export const Environment = z
  .object({
    INGEST_PORT: port.default(8788).describe("Where ingest listens"),
    INGEST_HOST: z.string().default("127.0.0.1").describe("The interface that ingest listens on"),
    DATABASE_URL: url("postgres:", "postgresql:")
      .optional()
      .describe("Postgres, the source of truth; unset: history is off, playback sessions work"),
    DATABASE_POOL: wholeNumber.min(2).max(500).default(30).describe("Connections to Postgres at most"),
    REDIS_URL: redisUrl.describe("Redis with the views"),
    STREAM_REDIS_URL: redisUrl.optional().describe("Redis with the stream; REDIS_URL if unset"),
    STREAM_REPLICAS: wholeNumber
      .min(0)
      .default(0)
      .describe("How many replicas must hold an event before it counts as accepted"),
    ...authVariables,
    ...acceptVariables,
    ...limitVariables,
    ...viewVariables,
    WARM_USERS: wholeNumber
      .min(1)
      .default(1_000_000)
      .describe("Users whose views Redis holds at most; the coldest are evicted"),
    WARM_AGE: wholeNumber
      .min(1)
      .default(30)
      .describe("Days after which views that nothing was written to are evicted"),
    WARM_MEMORY: z.coerce
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe("Share of Redis' maxmemory past which the coldest views are evicted, if it has a maxmemory"),
    VIEW_TTL: wholeNumber
      .min(1)
      .default(300)
      .describe("Seconds for which Redis holds the views of profiles, watchlists and ratings"),
    SESSION_TIMEOUT: wholeNumber
      .min(1)
      .default(300)
      .describe("Seconds without a report after which a playback session ends by itself"),
    PARTY_CAPACITY: wholeNumber.min(2).max(10_000).default(100).describe("Members of a party at most"),
    PARTY_ORIGINS: origins
      .default([])
      .describe("Origins whose pages may connect to parties, separated by commas"),
    WATCH_PARTY_FLUSH_INTERVAL_MINUTES: z.coerce
      .number()
      .gt(0)
      .max(1_440)
      .default(10)
      .describe("Minutes that what happens in a party waits in Redis for Postgres at most"),
    WATCH_PARTY_SHUTDOWN_FLUSH_TIMEOUT_MS: wholeNumber
      .min(0)
      .max(10_000)
      .default(5_000)
      .describe("Milliseconds that a stopping ingest takes to bring it there"),
    ...busVariables,
    ERASURE_KEY: z
      .string()
      .min(16)
      .optional()
      .describe(
        "Under which key is remembered who was erased; AUTH_SECRET if unset. It stays when secrets are rotated: " +
          "under another one all of them are strangers again",
      ),
    DRAIN_LINGER: wholeNumber.min(0).default(40).describe("Milliseconds a small batch waits for company"),
    RECLAIM_AFTER: wholeNumber
      .min(1)
      .default(30_000)
      .describe("Milliseconds after which entries of a silent consumer are taken over"),
    LOG_LEVEL: z.enum(LOG_LEVELS).default("info").describe("What is logged"),
    ...traceVariables,
  })
  .refine(oneWayToCheckTokens, checkTokens)
  .refine(
    ({ DATABASE_URL, AUTH_SECRET, AUTH_JWKS_URL, ERASURE_KEY }) =>
      !DATABASE_URL || !AUTH_JWKS_URL || AUTH_SECRET !== undefined || ERASURE_KEY !== undefined,
    rule("ERASURE_KEY", "needed with DATABASE_URL where there is no AUTH_SECRET"),
  )
  .refine(...webhookWhole)
  .refine(...saslWhole)
  .refine(...tlsOn);

export type Config = {
  historyIndex: ModelName | "auto";
  http: { port: number; host: string };
  /** null: history is off. `erasureKey`: under which it is remembered who was erased. */
  postgres: { url: string; max: number; erasureKey: string } | null;
  redis: { views: string; stream: string; streamReplicas: number };
  auth: Auth;
  limits: { backlog: number; eventMaxAgeMs: number; history: number; rates: Rates };
  warm: { users: number; ageMs: number; memory: number };
  profiles: { ttlMs: number };
  sessions: { timeoutMs: number };
  parties: { capacity: number; origins: readonly string[]; flushEveryMs: number; shutdownFlushMs: number };
  bus: BusConfig;
  drain: { lingerMs: number; reclaimAfterMs: number };
  logLevel: (typeof LOG_LEVELS)[number];
  /** null: traces are off. */
  traces: TraceConfig | null;
};

/** The configuration of ingest. @throws Error that lists every wrong variable at once. */
export function ingestConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const its = readEnvironment(Environment, env);
  return {
    historyIndex: its.HISTORY_INDEX,
    http: { port: its.INGEST_PORT, host: its.INGEST_HOST },
    postgres: postgresOf(its),
    redis: {
      views: its.REDIS_URL,
      stream: its.STREAM_REDIS_URL ?? its.REDIS_URL,
      streamReplicas: its.STREAM_REPLICAS,
    },
    auth: authOf(its),
    limits: {
      backlog: its.BACKLOG_LIMIT,
      eventMaxAgeMs: its.EVENT_MAX_AGE * 86_400_000,
      history: its.HISTORY_LIMIT,
      rates: ratesOf(its),
    },
    warm: { users: its.WARM_USERS, ageMs: its.WARM_AGE * 86_400_000, memory: its.WARM_MEMORY },
    profiles: { ttlMs: its.VIEW_TTL * 1_000 },
    sessions: { timeoutMs: its.SESSION_TIMEOUT * 1_000 },
    parties: {
      capacity: its.PARTY_CAPACITY,
      origins: its.PARTY_ORIGINS,
      flushEveryMs: its.WATCH_PARTY_FLUSH_INTERVAL_MINUTES * 60_000,
      shutdownFlushMs: its.WATCH_PARTY_SHUTDOWN_FLUSH_TIMEOUT_MS,
    },
    bus: busOf(its),
    drain: { lingerMs: its.DRAIN_LINGER, reclaimAfterMs: its.RECLAIM_AFTER },
    logLevel: its.LOG_LEVEL,
    traces: traceConfigOf(its, "playhead-ingest"),
  };
}

function postgresOf(its: z.infer<typeof Environment>): Config["postgres"] {
  const { DATABASE_URL: url, DATABASE_POOL: max, ERASURE_KEY, AUTH_SECRET } = its;
  return url === undefined ? null : { url, max, erasureKey: ERASURE_KEY ?? AUTH_SECRET ?? "" };
}
