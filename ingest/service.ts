import { randomUUID } from "node:crypto";
import { type ServerType, serve } from "@hono/node-server";
import { sql } from "drizzle-orm";
import { createRemoteJWKSet } from "jose";
import { type TokenRules, tokenVerifier } from "../db/contract/access.ts";
import type { Entry } from "../db/contract/events.ts";
import type { UserId } from "../db/contract/ids.ts";
import { connect } from "../db/postgres/connect.ts";
import type { Transaction } from "../db/postgres/transaction.ts";
import { appender } from "./accept/appender.ts";
import type { Config } from "./config.ts";
import { type Folded, fold } from "./drain/fold.ts";
import { drain } from "./drain/loop.ts";
import { store } from "./drain/store.ts";
import { turn } from "./drain/turn.ts";
import { createHttp } from "./http.ts";
import { contentLibrary } from "./library/content-library.ts";
import type { Log } from "./observe/log.ts";
import { connectRedis } from "./redis.ts";
import { eventStreamOn, type StreamEntry } from "./stream.ts";
import { carryChanges } from "./views/carry-changes.ts";
import { type ContentLookup, contentLookup } from "./views/contents.ts";
import { evict } from "./views/evict.ts";
import { historyIndexOn } from "./views/history-index.ts";
import { type Projection, project } from "./views/project.ts";
import { historyReader } from "./views/read.ts";
import { refiller } from "./views/refill.ts";
import { sweeper } from "./views/sweep.ts";
import { warmSet } from "./views/warm-set.ts";

/** How long a forget waits to be visible before it is answered as accepted only. */
const APPLY_TIMEOUT_MS = 1_500;
const PROBE_TIMEOUT_MS = 1_000;
/** A reader does not wait longer for a Redis that hangs: Postgres answers, within the patience of the edge. */
const READ_TIMEOUT_MS = 500;
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
  const { db, close: closePostgres } = connect(config.postgres.url, { max: config.postgres.max });
  const views = connectRedis(config.redis.views);
  const reads = connectRedis(config.redis.views, { timeoutMs: READ_TIMEOUT_MS });
  const streamRedis = connectRedis(config.redis.stream);
  const blocking = connectRedis(config.redis.stream);
  const stream = eventStreamOn(streamRedis, blocking, {
    consumer: `ingest-${randomUUID()}`,
    replicas: config.redis.streamReplicas,
  });
  const warm = warmSet({ redis: views, clock: Date.now, log });
  const viewDeps = {
    warm,
    historyLimit: config.limits.history,
    index: historyIndexOn(views, config.historyIndex, log),
    contents: contentLookup(db),
  };
  const storeFolded = (folded: Folded) => store(db, folded);

  const projectDeps = { redis: views, ...viewDeps };

  async function projectRows(projection: Projection): Promise<void> {
    await warm.touch(await project(projectDeps, projection));
  }

  /** A change of the catalogue is no sign that anybody watches. */
  async function projectQuietly(projection: Projection, tx: Transaction): Promise<void> {
    const contents: ContentLookup = (of) => projectDeps.contents(of, tx);
    await project({ ...projectDeps, contents }, projection);
  }

  async function applyNow(entry: Entry): Promise<boolean> {
    const applied = (async () => {
      const { user_id, events } = entry;
      await projectRows(await storeFolded(fold(events.map((event) => ({ user_id, event })))));
      return true;
    })();
    return await withinTime(applied, APPLY_TIMEOUT_MS);
  }

  const readDeps = { db, redis: reads, log, ...viewDeps };
  const refill = refiller(readDeps);
  const stopping = new AbortController();
  const http = createHttp({
    log,
    verifyToken: tokenVerifier(tokenRules(config.auth)),
    clock: Date.now,
    newId: randomUUID,
    eventMaxAgeMs: config.limits.eventMaxAgeMs,
    append: appender(stream, config.limits.backlog),
    applyNow,
    history: historyReader({ ...readDeps, refill }),
    contents: contentLibrary({ db, log }),
    stopping: stopping.signal,
    probe: async () => ({
      postgres: await withinTime(
        db.execute(sql`SELECT 1`).then(() => true),
        PROBE_TIMEOUT_MS,
      ),
      redis: await withinTime(
        views.ping().then(() => true),
        PROBE_TIMEOUT_MS,
      ),
      stream: await withinTime(
        streamRedis.ping().then(() => true),
        PROBE_TIMEOUT_MS,
      ),
    }),
  });

  let server: ServerType | undefined;
  let working: Promise<unknown> | undefined;

  /** Listens, drains, carries changes of the catalogue and sweeps. @returns the port. */
  async function start(): Promise<{ port: number }> {
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
      server = listening;
    });
    const { lingerMs, reclaimAfterMs } = config.drain;
    const turnDeps = { store: storeFolded, project: projectRows, settle: stream.settle, log };
    const drainDeps = {
      stream,
      turn: (entries: readonly StreamEntry[], signal: AbortSignal) => turn(turnDeps, entries, signal),
      ...{ clock: Date.now, log, lingerMs, reclaimAfterMs },
    };
    const evictUser = (user: UserId) => evict(views, user);
    working = Promise.all([
      drain(drainDeps, stopping.signal),
      carryChanges({ db, project: projectQuietly, clock: Date.now, log }, stopping.signal),
      sweeper({ redis: views, evict: evictUser, clock: Date.now, log, bounds: config.warm }, stopping.signal),
    ]);
    return { port };
  }

  /** Answers what is being asked, finishes the turns in flight, lets go of everything. May be called again. */
  async function stop(): Promise<void> {
    stopping.abort();
    const listening = server;
    server = undefined;
    if (listening) {
      await new Promise((resolve) => {
        listening.close(resolve);
        if ("closeIdleConnections" in listening) listening.closeIdleConnections();
      });
    }
    await working;
    for (const redis of [blocking, streamRedis, reads, views]) redis.disconnect();
    await closePostgres();
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

/** False when it fails or takes too long; it goes on by itself then. */
async function withinTime(work: Promise<boolean>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  work.then(resolve, () => resolve(false));
  return await promise.finally(() => clearTimeout(timer));
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
