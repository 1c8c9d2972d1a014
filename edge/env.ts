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
} from "../db/environment.ts";
import { MODELS, type ModelName } from "../db/redis/index/model.ts";
import { type TraceConfig, traceConfigOf, traceVariables } from "../db/trace/config.ts";

const httpUrl = url("http:", "https:").transform((text) => text.replace(/\/+$/, ""));
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
    ...authVariables,
    CORS_ORIGINS: origins.default([]).describe("Origins whose pages may ask, separated by commas"),
    ...acceptVariables,
    ...limitVariables,
    HISTORY_INDEX: z
      .enum(["auto", ...MODELS])
      .default("auto")
      .describe(
        "How records are found by dimension, as ingest has it; auto: learnt from the first view that is read",
      ),
    EDGE_PORT: port.default(8787).describe("Where the edge listens (Node, Deno)"),
    EDGE_METRICS_PORT: port
      .optional()
      .describe("Where GET /metrics is answered, on the same interface (Node, Deno); unset: nowhere"),
    EDGE_HOST: z.string().default("127.0.0.1").describe("The interface it listens on (Node, Deno)"),
    ...traceVariables,
  })
  .refine(oneWayToCheckTokens, checkTokens)
  .refine(
    (env) => (env.STREAM_REDIS_REST_URL === undefined) === (env.STREAM_REDIS_REST_TOKEN === undefined),
    rule("STREAM_REDIS_REST_URL", "STREAM_REDIS_REST_URL and STREAM_REDIS_REST_TOKEN go together"),
  );

export type EdgeConfig = {
  redis: { url: string; token: string };
  streamRedis: { url: string; token: string };
  historyIndex: ModelName | "auto";
  ingestUrl: string;
  auth: Auth;
  corsOrigins: string[];
  limits: { backlog: number; eventMaxAgeMs: number; rates: Rates };
  http: { port: number; host: string; metricsPort: number | undefined };
  /** null: traces are off. */
  traces: TraceConfig | null;
};

/** The configuration of the edge, on any runtime. @throws Error that lists every wrong variable at once. */
export function edgeConfig(env: Readonly<Record<string, unknown>>): EdgeConfig {
  const its = readEnvironment(Environment, env);
  const redis = { url: its.UPSTASH_REDIS_REST_URL, token: its.UPSTASH_REDIS_REST_TOKEN };
  const { STREAM_REDIS_REST_URL: url, STREAM_REDIS_REST_TOKEN: token } = its;
  return {
    redis,
    streamRedis: url && token ? { url, token } : redis,
    historyIndex: its.HISTORY_INDEX,
    ingestUrl: its.INGEST_URL,
    auth: authOf(its),
    corsOrigins: its.CORS_ORIGINS,
    limits: {
      backlog: its.BACKLOG_LIMIT,
      eventMaxAgeMs: its.EVENT_MAX_AGE * 86_400_000,
      rates: ratesOf(its),
    },
    http: { port: its.EDGE_PORT, host: its.EDGE_HOST, metricsPort: its.EDGE_METRICS_PORT },
    traces: traceConfigOf(its, "playhead-edge"),
  };
}
