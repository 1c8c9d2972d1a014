import * as z from "zod";
import {
  type Auth,
  acceptVariables,
  authOf,
  authVariables,
  checkTokens,
  oneWayToCheckTokens,
  origins,
  port,
  readEnvironment,
  url,
  wholeNumber,
} from "../db/environment.ts";

import { MODELS, type ModelName } from "../db/redis/index/model.ts";

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
    EVENTS_KEPT: wholeNumber
      .min(1)
      .default(1_000_000)
      .describe("Domain events that the bus keeps, at least; older ones are trimmed away"),
    DRAIN_LINGER: wholeNumber.min(0).default(40).describe("Milliseconds a small batch waits for company"),
    RECLAIM_AFTER: wholeNumber
      .min(1)
      .default(30_000)
      .describe("Milliseconds after which entries of a silent consumer are taken over"),
    LOG_LEVEL: z.enum(LOG_LEVELS).default("info").describe("What is logged"),
  })
  .refine(oneWayToCheckTokens, checkTokens);

export type Config = {
  historyIndex: ModelName | "auto";
  http: { port: number; host: string };
  /** null: history is off. */
  postgres: { url: string; max: number } | null;
  redis: { views: string; stream: string; streamReplicas: number };
  auth: Auth;
  limits: { backlog: number; eventMaxAgeMs: number; history: number };
  warm: { users: number; ageMs: number; memory: number };
  sessions: { timeoutMs: number };
  parties: { capacity: number; origins: readonly string[]; flushEveryMs: number; shutdownFlushMs: number };
  bus: { keep: number };
  drain: { lingerMs: number; reclaimAfterMs: number };
  logLevel: (typeof LOG_LEVELS)[number];
};

/** The configuration of ingest. @throws Error that lists every wrong variable at once. */
export function ingestConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const its = readEnvironment(Environment, env);
  return {
    historyIndex: its.HISTORY_INDEX,
    http: { port: its.INGEST_PORT, host: its.INGEST_HOST },
    postgres: its.DATABASE_URL === undefined ? null : { url: its.DATABASE_URL, max: its.DATABASE_POOL },
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
    },
    warm: { users: its.WARM_USERS, ageMs: its.WARM_AGE * 86_400_000, memory: its.WARM_MEMORY },
    sessions: { timeoutMs: its.SESSION_TIMEOUT * 1_000 },
    parties: {
      capacity: its.PARTY_CAPACITY,
      origins: its.PARTY_ORIGINS,
      flushEveryMs: its.WATCH_PARTY_FLUSH_INTERVAL_MINUTES * 60_000,
      shutdownFlushMs: its.WATCH_PARTY_SHUTDOWN_FLUSH_TIMEOUT_MS,
    },
    bus: { keep: its.EVENTS_KEPT },
    drain: { lingerMs: its.DRAIN_LINGER, reclaimAfterMs: its.RECLAIM_AFTER },
    logLevel: its.LOG_LEVEL,
  };
}
