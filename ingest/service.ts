import { randomUUID } from "node:crypto";
import { type ServerType, serve } from "@hono/node-server";
import { createRemoteJWKSet } from "jose";
import { type TokenRules, tokenVerifier } from "../db/contract/access.ts";
import { KEYS, publishedKeys } from "../db/contract/published-keys.ts";
import { IDLE_TIMEOUT_MS, SERVER_BOUNDS } from "../db/server-bounds.ts";
import { busDelivery } from "./bus/delivery.ts";
import type { BusMetrics } from "./bus/metrics.ts";
import { redisBus } from "./bus/redis-bus.ts";
import type { Config } from "./config.ts";
import type { ServiceDeps } from "./deps.ts";
import { buildHistory } from "./history.ts";
import { createHttp } from "./http.ts";
import { counterOn, writeLimit } from "./limit.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import { createTracing } from "./observe/tracing.ts";
import { userHash } from "./privacy/user-hash.ts";
import { connectRedis } from "./redis.ts";
import { endSilentSessions } from "./sessions/end-silent.ts";
import { type SessionStore, sessionStore } from "./sessions/session-store.ts";
import { withinTime } from "./within-time.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** A write waits no longer to be counted. */
const COUNT_TIMEOUT_MS = 100;
/** Keys of an issuer must come within the patience of the edge. */
const JWKS_TIMEOUT_MS = 1_500;

/**
 * The ingest service: constructed whole, then started, then stopped. Any number of them, in one process or in
 * many, share the work.
 */
export function createService(config: Config, log: Log) {
  const streamRedis = connectRedis(config.redis.stream);
  const counts = connectRedis(config.redis.views, { timeoutMs: COUNT_TIMEOUT_MS, together: true });
  const busRedis = connectRedis(config.redis.stream);
  const metrics = createMetrics();
  const bus = redisBus(busRedis, metrics);
  const delivery = busDelivery(config.bus, {
    ...{ redis: busRedis, redisUrl: config.redis.stream, metrics, log },
    reclaimAfterMs: config.drain.reclaimAfterMs,
  });
  const tracing = createTracing(config.traces);
  const { postgres } = config;
  const verifyToken = tokenVerifier(tokenRules(config.auth));
  const given = { streamRedis, bus, metrics, tracing, verifyToken, log };
  const history = postgres && buildHistory(config, { postgres, ...given });
  const limits = { backlogLimit: config.limits.backlog };
  const hashed = postgres ? { hashOf: userHash(postgres.erasureKey) } : {};
  const sessions = withEnds(sessionStore(streamRedis, { ...limits, ...hashed }), metrics);
  const probes = { ...history?.probes, stream: () => streamRedis.ping() };
  const stopping = new AbortController();
  const common: ServiceDeps = {
    ...{ log, metrics, tracing, verifyToken },
    limit: writeLimit({ count: counterOn(counts), rates: config.limits.rates, clock: Date.now, metrics }),
    clock: Date.now,
    newId: randomUUID,
    eventMaxAgeMs: config.limits.eventMaxAgeMs,
    sessions,
    stopping: stopping.signal,
    probe: async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(probes).map(async ([name, probe]) => {
            const answers = Promise.resolve(probe()).then(() => true);
            return [name, await withinTime(answers, PROBE_TIMEOUT_MS)] as const;
          }),
        ),
      ),
  };
  const http = createHttp(history ? { ...common, ...history.deps } : { ...common, history: null });

  let server: ServerType | undefined;
  let working: Promise<unknown> | undefined;

  /** Listens, and works on what needs no request. @returns the port. */
  async function start(): Promise<{ port: number }> {
    if (history === null) log.warn("DATABASE_URL is not set: history is off, playback sessions work");
    await warnUnlessDurable(streamRedis, log);
    stopping.signal.throwIfAborted();
    const port = await new Promise<number>((resolve, reject) => {
      const listening = serve(
        { fetch: http.fetch, ...config.http, hostname: config.http.host, serverOptions: SERVER_BOUNDS },
        ({ port }) => {
          resolve(port);
        },
      );
      listening.once("error", reject);
      listening.setTimeout(IDLE_TIMEOUT_MS);
      history?.parties.attach(listening);
      server = listening;
    });
    await history?.parties.open();
    const { timeoutMs } = config.sessions;
    working = Promise.all([
      endSilentSessions({ sessions, history, clock: Date.now, timeoutMs, log }, stopping.signal),
      history?.work(stopping.signal),
      delivery.work(stopping.signal),
    ]);
    return { port };
  }

  /** Answers what is being asked, finishes the turns in flight, lets go of everything. May be called again. */
  async function stop(): Promise<void> {
    stopping.abort();
    if (server) await history?.parties.leave();
    const listening = server;
    server = undefined;
    if (listening) {
      await new Promise((resolve) => {
        listening.close(resolve);
        if ("closeIdleConnections" in listening) listening.closeIdleConnections();
      });
    }
    await working;
    counts.disconnect();
    await delivery.close();
    for (const redis of [busRedis, streamRedis]) redis.disconnect();
    await history?.close();
    await tracing?.stop();
  }

  return { start, stop };
}

export type Service = ReturnType<typeof createService>;

/** The end of a session is on the bus with the step that ends it: there it is counted. */
function withEnds(sessions: SessionStore, { eventsPublished }: BusMetrics): SessionStore {
  return {
    ...sessions,
    async end(...its) {
      const ending = await sessions.end(...its);
      if (ending === "ended") eventsPublished("SessionEnded", 1);
      return ending;
    },
  };
}

function tokenRules({ secret, jwksUrl, issuer, audience }: Config["auth"]): TokenRules {
  const key = jwksUrl
    ? {
        jwks: publishedKeys(
          createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS, ...KEYS }),
          Date.now,
        ),
      }
    : { secret: new TextEncoder().encode(secret) };
  return { key, issuer, audience, now: Date.now };
}

/** Promise 1 stands on this setting; a managed Redis may hide it, so it is a warning. */
async function warnUnlessDurable(redis: ReturnType<typeof connectRedis>, log: Log): Promise<void> {
  try {
    const settings = (await redis.config("GET", "append*")) as string[];
    const its = (name: string) => settings[settings.indexOf(name) + 1];
    if (its("appendonly") === "yes" && its("appendfsync") === "always") return;
    log.warn(
      "Redis does not run appendonly yes, appendfsync always: accepted events may be lost with its machine",
    );
  } catch (error) {
    log.warn({ error }, "cannot see how durable Redis is: it must run appendonly yes, appendfsync always");
  }
}
