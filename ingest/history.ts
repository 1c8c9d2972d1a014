import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { VerifyToken } from "../db/contract/access.ts";
import { type Completion, contentCompleted } from "../db/contract/cloud-events.ts";
import type { Entry } from "../db/contract/events.ts";
import type { UserId } from "../db/contract/ids.ts";
import { connect } from "../db/postgres/connect.ts";
import type { Transaction } from "../db/postgres/transaction.ts";
import { appender } from "./accept/appender.ts";
import type { Bus } from "./bus/redis-bus.ts";
import type { Config } from "./config.ts";
import type { HistoryDeps } from "./deps.ts";
import { type Folded, fold, type OwnedEvent } from "./drain/fold.ts";
import { knownPlays } from "./drain/known-plays.ts";
import { drain } from "./drain/loop.ts";
import { store } from "./drain/store.ts";
import { type TurnDeps, turn } from "./drain/turn.ts";
import { contentLibrary } from "./library/content-library.ts";
import { loadPauses } from "./library/load-pauses.ts";
import { readerWithinReach, withinReach } from "./library/within-reach.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { buildParties, type PartyService } from "./parties.ts";
import { connectRedis } from "./redis.ts";
import { eventStreamOn, type StreamEntry } from "./stream.ts";
import { carryChanges } from "./views/carry-changes.ts";
import { catalogueCounter } from "./views/catalogue-generation.ts";
import { type ContentLookup, contentLookup } from "./views/contents.ts";
import { evict } from "./views/evict.ts";
import { historyIndexOn } from "./views/history-index.ts";
import { nextUpReader } from "./views/next-up.ts";
import { type Projection, project } from "./views/project.ts";
import { historyReader } from "./views/read.ts";
import { refiller } from "./views/refill.ts";
import { sweeper } from "./views/sweep.ts";
import { warmSet } from "./views/warm-set.ts";
import { withinTime } from "./within-time.ts";

/** How long a forget waits to be visible before it is answered as accepted only. */
const APPLY_TIMEOUT_MS = 1_500;
/** A reader does not wait longer for a Redis that hangs: Postgres answers, within the patience of the edge. */
const READ_TIMEOUT_MS = 500;

/**
 * The half of the service that stands on Postgres: the event stream and its drain, the views, the catalogue. Where
 * there is no Postgres there is none of it.
 */
export function buildHistory(config: Config, given: Given): History {
  const { postgres, streamRedis, bus, metrics, verifyToken, log } = given;
  const { db, close: closePostgres } = connect(postgres.url, { max: postgres.max });
  const views = connectRedis(config.redis.views);
  const reads = connectRedis(config.redis.views, { timeoutMs: READ_TIMEOUT_MS });
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
  const plays = knownPlays(Date.now);
  const storeFolded = (folded: Folded, eventsOf: () => readonly OwnedEvent[]) =>
    store(db, folded, eventsOf, plays);

  const projectDeps = { redis: views, ...viewDeps };

  async function projectRows(projection: Projection): Promise<void> {
    await warm.touch(await project(projectDeps, projection));
  }

  /** A change of the catalogue is no sign that anybody watches. */
  async function projectQuietly(projection: Projection, tx: Transaction): Promise<void> {
    const contents: ContentLookup = (of) => projectDeps.contents(of, tx);
    await project({ ...projectDeps, contents }, projection);
  }

  async function publish(completions: readonly Completion[]): Promise<void> {
    if (completions.length > 0) await bus.publish(await Promise.all(completions.map(contentCompleted)));
  }

  async function applyNow(entry: Entry): Promise<boolean> {
    const applied = metrics.measure("apply", async () => {
      const events = entry.events.map((event) => ({ user_id: entry.user_id, event }));
      await projectRows(await storeFolded(fold(events), () => events));
      return true;
    });
    return await withinTime(applied, APPLY_TIMEOUT_MS);
  }

  const readDeps = { db, redis: reads, log, ...viewDeps };
  const refill = refiller(readDeps);
  const nextUp = nextUpReader({ ...readDeps, clock: Date.now });
  const catalogueMoved = catalogueCounter(reads);
  const parties = buildParties(config, { db, verifyToken, metrics, log });
  // Timed by what goes to Redis together, not by the request.
  async function append(...its: Parameters<typeof stream.append>): Promise<boolean[]> {
    const taken = await metrics.measure("append", () => stream.append(...its));
    metrics.failed("append", taken.filter((one) => !one).length);
    return taken;
  }

  async function work(signal: AbortSignal): Promise<void> {
    const { lingerMs, reclaimAfterMs } = config.drain;
    const turnDeps = measuredTurn(
      { store: storeFolded, project: projectRows, publish, settle: stream.settle, log },
      metrics,
    );
    const drainDeps = {
      stream,
      turn: (entries: readonly StreamEntry[], signal: AbortSignal) => turn(turnDeps, entries, signal),
      ...{ clock: Date.now, log, lingerMs, reclaimAfterMs },
    };
    const evictUser = (user: UserId) => evict(views, user);
    await Promise.all([
      drain(drainDeps, signal),
      carryChanges({ db, project: projectQuietly, catalogueMoved, clock: Date.now, log }, signal),
      sweeper({ redis: views, evict: evictUser, clock: Date.now, log, bounds: config.warm }, signal),
      parties.work(signal),
    ]);
  }

  return {
    deps: {
      append: appender({ append }, config.limits.backlog),
      applyNow,
      history: readerWithinReach(log, "the history", historyReader({ ...readDeps, refill })),
      nextUp: (user, request) => withinReach(log, "the history", nextUp(user, request)),
      contents: contentLibrary({ db, catalogueMoved, log }),
      parties: parties.library,
      loadPauses: (user) => withinReach(log, "the history", loadPauses(db, user)),
    },
    probes: {
      postgres: () => db.execute(sql`SELECT 1`),
      redis: () => views.ping(),
    },
    parties,
    work,
    async close() {
      await parties.close();
      for (const redis of [blocking, reads, views]) redis.disconnect();
      await closePostgres();
    },
  };
}

/** The steps of a turn, each timed, and counted when it fails. */
function measuredTurn(deps: TurnDeps, { measure, failed }: Metrics): TurnDeps {
  return {
    ...deps,
    store: (...its) => measure("store", () => deps.store(...its)),
    project: (...its) => measure("project", () => deps.project(...its)),
    publish: (...its) => measure("publish", () => deps.publish(...its)),
    async settle(entries, poison) {
      await measure("settle", () => deps.settle(entries, poison));
      failed("quarantine", poison.length);
    },
  };
}

type Given = {
  postgres: { url: string; max: number };
  /** The one connection over which events are appended, so that WAIT covers them. */
  streamRedis: Redis;
  bus: Bus;
  metrics: Metrics;
  verifyToken: VerifyToken;
  log: Log;
};

export type History = {
  deps: HistoryDeps;
  /** Each throws while its store is away. */
  probes: Record<string, () => Promise<unknown>>;
  parties: PartyService;
  /** Drains, carries changes of the catalogue and sweeps, until the signal. */
  work: (signal: AbortSignal) => Promise<void>;
  close: () => Promise<void>;
};
