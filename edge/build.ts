import { createRemoteJWKSet } from "jose";
import { tokenVerifier, type VerifyToken } from "../db/contract/access.ts";
import type { EdgeDeps } from "./deps.ts";
import type { EdgeConfig } from "./env.ts";
import { ingestAt } from "./ingest.ts";
import { consoleLog } from "./log.ts";
import { pipeAt } from "./pipe.ts";
import { edgeRedis } from "./redis.ts";

/** The real things, out of the configuration. Only where assets come from depends on the runtime. */
export function edgeDeps(config: EdgeConfig, asset: EdgeDeps["asset"]): EdgeDeps {
  const { append, readSession } = edgeRedis(config.streamRedis);
  return {
    redis: { ...edgeRedis({ ...config.redis, model: config.historyIndex }), append, readSession },
    ingest: ingestAt(config.ingestUrl),
    pipe: pipeAt(config.ingestUrl),
    verifyToken: verifierOf(config.auth),
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

function verifierOf({ secret, jwksUrl, issuer, audience }: EdgeConfig["auth"]): VerifyToken {
  const key = jwksUrl
    ? { jwks: createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 2_000 }) }
    : { secret: new TextEncoder().encode(secret) };
  return tokenVerifier({ key, issuer, audience, now: Date.now });
}
