import { randomUUID } from "node:crypto";
import { type ServerType, serve } from "@hono/node-server";
import { createRemoteJWKSet } from "jose";
import { type TokenRules, tokenVerifier } from "../db/contract/access.ts";
import { redisBus } from "./bus/redis-bus.ts";
import type { Config } from "./config.ts";
import type { ServiceDeps } from "./deps.ts";
import { buildHistory } from "./history.ts";
import { createHttp } from "./http.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import { connectRedis } from "./redis.ts";
import { endSilentSessions } from "./sessions/end-silent.ts";
import { sessionStore } from "./sessions/session-store.ts";
import { withinTime } from "./within-time.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** Keys of an issuer must come within the patience of the edge. */
const JWKS_TIMEOUT_MS = 1_500;
/** A catalogue may be sent for as long as something moves; a connection where nothing does is given up after this. */
const IDLE_TIMEOUT_MS = 300_000;
const PATIENT = { requestTimeout: 0, headersTimeout: 60_000 };

/**
 * The ingest service: constructed whole, then started, then stopped. Any number of them, in one process or in
 * many, share the work.
 */
export function createService(config: Config, log: Log) {
  const streamRedis = connectRedis(config.redis.stream);
  const bus = redisBus(streamRedis, config.bus);
  const metrics = createMetrics();
  const { postgres } = config;
  const verifyToken = tokenVerifier(tokenRules(config.auth));
  const history = postgres && buildHistory(config, { postgres, streamRedis, bus, metrics, verifyToken, log });
  const sessions = sessionStore(streamRedis, {
    backlogLimit: config.limits.backlog,
    busKeeps: config.bus.keep,
  });
  const probes = { ...history?.probes, stream: () => streamRedis.ping() };
  const stopping = new AbortController();
  const common: ServiceDeps = {
    ...{ log, metrics, verifyToken },
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
        { fetch: http.fetch, ...config.http, hostname: config.http.host, serverOptions: PATIENT },
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
    streamRedis.disconnect();
    await history?.close();
  }

  return { start, stop };
}

export type Service = ReturnType<typeof createService>;

function tokenRules({ secret, jwksUrl, issuer, audience }: Config["auth"]): TokenRules {
  const key = jwksUrl
    ? { jwks: createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS }) }
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
