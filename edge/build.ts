import { createRemoteJWKSet } from "jose";
import { tokenVerifier, type VerifyToken } from "../db/contract/access.ts";
import { KEYS, publishedKeys } from "../db/contract/published-keys.ts";
import type { EdgeDeps } from "./deps.ts";
import type { EdgeConfig } from "./env.ts";
import { ingestAt } from "./ingest.ts";
import { countedBy, countedIn, type RateLimitBinding, requestLimit } from "./limit.ts";
import { consoleLog } from "./log.ts";
import { pipeAt } from "./pipe.ts";
import { edgeRedis } from "./redis.ts";

/** The real things, out of the configuration. Only where assets come from, and what a Worker has, depends on the runtime. */
export function edgeDeps(config: EdgeConfig, asset: EdgeDeps["asset"], worker?: OfWorker): EdgeDeps {
  const { append, readSession } = edgeRedis(config.streamRedis);
  const redis = { ...edgeRedis({ ...config.redis, model: config.historyIndex }), append, readSession };
  return {
    redis,
    ingest: ingestAt(config.ingestUrl),
    pipe: pipeAt(config.ingestUrl),
    verifyToken: verifierOf(config.auth),
    limit: requestLimit({
      ...(worker?.rateLimiter ? countedBy(worker.rateLimiter, Date.now) : countedIn(redis)),
      rates: config.limits.rates,
      now: Date.now,
      log: consoleLog,
      // A process lives on by itself.
      outlive: worker ? (c, work) => c.executionCtx.waitUntil(work) : () => {},
    }),
    asset,
    now: Date.now,
    newId: () => crypto.randomUUID(),
    log: consoleLog,
    settings: {
      corsOrigins: config.corsOrigins,
      backlogLimit: config.limits.backlog,
      eventMaxAgeMs: config.limits.eventMaxAgeMs,
      deadlines: { readMs: 3_000, writeMs: 2_000, healthMs: 1_000 },
    },
  };
}

/** What there is on Workers alone: `rateLimiter` is the binding that counts there, if it is bound. */
type OfWorker = { rateLimiter?: RateLimitBinding | undefined };

function verifierOf({ secret, jwksUrl, issuer, audience }: EdgeConfig["auth"]): VerifyToken {
  const key = jwksUrl
    ? {
        jwks: publishedKeys(
          createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 2_000, ...KEYS }),
          Date.now,
        ),
      }
    : { secret: new TextEncoder().encode(secret) };
  return tokenVerifier({ key, issuer, audience, now: Date.now });
}
