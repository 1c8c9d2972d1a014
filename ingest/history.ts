import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { VerifyToken } from "../db/contract/access.ts";
import type { Entry } from "../db/contract/events.ts";
import type { UserId } from "../db/contract/ids.ts";
import { connect } from "../db/postgres/connect.ts";
import { isErased } from "../db/postgres/erased.ts";
import type { Transaction } from "../db/postgres/transaction.ts";
import { appender } from "./accept/appender.ts";
import { type HistoryNews, historyEvents } from "./bus/history-events.ts";
import { outboxPublisher } from "./bus/outbox.ts";
import type { Bus } from "./bus/redis-bus.ts";
import type { Config } from "./config.ts";
import type { HistoryDeps } from "./deps.ts";
import { type Folded, fold, type OwnedEvent } from "./drain/fold.ts";
import { knownPlays } from "./drain/known-plays.ts";
import { drain } from "./drain/loop.ts";
import { store } from "./drain/store.ts";
import { contentLibrary } from "./library/content-library.ts";
import { loadPauses } from "./library/load-pauses.ts";
import { loadReviews } from "./library/load-reviews.ts";
import { profileLibrary } from "./library/profile-library.ts";
import { readerWithinReach, withinReach } from "./library/within-reach.ts";
import { outside, recordedTraceparent, spanned } from "./observe/ambient.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { withSpans } from "./observe/postgres-spans.ts";
import { streamGauges } from "./observe/stream-gauges.ts";
import type { Tracing } from "./observe/tracing.ts";
import { seenTurns } from "./observe/turns.ts";
import { buildParties, type PartyService } from "./parties.ts";
import { notRecalled } from "./privacy/not-recalled.ts";
import { privacyOn } from "./privacy/privacy.ts";
import { namelessId, userHash } from "./privacy/user-hash.ts";
import { connectRedis } from "./redis.ts";
import { sessionStore } from "./sessions/session-store.ts";
import { eventStreamOn } from "./stream.ts";
import { carryChanges } from "./views/carry-changes.ts";
import { catalogueCounter } from "./views/catalogue-generation.ts";
import { type ContentLookup, contentLookup } from "./views/contents.ts";
import { contentsOnce } from "./views/contents-once.ts";
import { evict } from "./views/evict.ts";
import { historyIndexOn } from "./views/history-index.ts";
import { nextUpReader } from "./views/next-up.ts";
import { profileProjection } from "./views/profile-views.ts";
import { type Projection, project } from "./views/project.ts";
import { historyReader } from "./views/read.ts";
import { profileReader } from "./views/read-profile.ts";
import { refiller } from "./views/refill.ts";
import { sweeper } from "./views/sweep.ts";
import { warmSet } from "./views/warm-set.ts";
import { withinTime } from "./within-time.ts";

/** How long a forget waits to be visible before it is answered as accepted only. */
const APPLY_TIMEOUT_MS = 1_500;
/** A reader does not wait longer for a Redis that hangs: Postgres answers, within the patience of the edge. */
const READ_TIMEOUT_MS = 500;
const REPAIRED_TOGETHER = 8;

/**
 * The half of the service that stands on Postgres: the event stream and its drain, the views, the catalogue. Where
 * there is no Postgres there is none of it.
 */
export function buildHistory(config: Config, given: Given): History {
  const { postgres, streamRedis, bus, metrics, tracing, verifyToken, log } = given;
  const { db: bare, close: closePostgres } = connect(postgres.url, { max: postgres.max });
  const db = tracing ? withSpans(bare) : bare;
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
  const hashOf = userHash(postgres.erasureKey);
  const nameless = namelessId(postgres.erasureKey);
  const storeFolded = (folded: Folded, eventsOf: () => readonly OwnedEvent[]) =>
    store(db, folded, eventsOf, plays, hashOf);

  const projectDeps = { redis: views, ...viewDeps };
  const contentsOfRows = contentsOnce(viewDeps.contents);

  async function projectRows(projection: Projection): Promise<void> {
    await warm.touch(await project({ ...projectDeps, contents: contentsOfRows }, projection));
  }

  /** A change of the catalogue is no sign that anybody watches. */
  async function projectQuietly(projection: Projection, tx: Transaction): Promise<void> {
    const contents: ContentLookup = (of) => projectDeps.contents(of, tx);
    await project({ ...projectDeps, contents }, projection);
  }

  async function publish(news: HistoryNews): Promise<void> {
    await bus.publish(await historyEvents(news, await contentsOfRows(news.rows), Date.now()));
  }

  /** What is put into a view was committed before, with the event that tells of it. */
  async function putAndTell(...views: Parameters<typeof profileViews.put>): Promise<void> {
    await profileViews.put(...views).finally(outbox.nudge);
  }

  /** What an event of the outbox tells of, shown before it is told. */
  async function repair(users: readonly UserId[]): Promise<void> {
    for (let at = 0; at < users.length; at += REPAIRED_TOGETHER) {
      await Promise.all(users.slice(at, at + REPAIRED_TOGETHER).map((user) => profileViews.rewrite(user)));
    }
  }

  async function applyNow(entry: Entry): Promise<boolean> {
    const events = entry.events.map((event) => ({ user_id: entry.user_id, event }));
    const apply = async () => {
      await projectRows(await storeFolded(fold(events), () => events));
      return true;
    };
    const applied = metrics.measure("apply", () => spanned("apply", apply));
    return await withinTime(applied, APPLY_TIMEOUT_MS);
  }

  const { privacy, ...privately } = privacyOn({
    ...{ db, views, streamRedis, stream, hashOf, nameless, clock: Date.now, log },
    parties: () => parties.traces,
    sessions: sessionStore(streamRedis, { backlogLimit: config.limits.backlog, hashOf }),
    notRecalled: async () => notRecalled(config, await viewDeps.index.current()),
  });
  const isErasedUser = (user: UserId) => isErased(db, user, hashOf);
  const readDeps = { db, redis: reads, log, isErased: isErasedUser, ...viewDeps };
  const refill = refiller({ ...readDeps, refilled: metrics.refilled });
  const nextUp = nextUpReader({ ...readDeps, clock: Date.now });
  const catalogueMoved = catalogueCounter(reads);
  const profileDeps = { db, clock: Date.now, ttlMs: config.profiles.ttlMs };
  const profileViews = profileProjection({ ...profileDeps, redis: views });
  const profiles = profileReader({
    ...readDeps,
    refill,
    views: profileProjection({ ...profileDeps, redis: reads }),
  });
  const outbox = outboxPublisher({ db, bus, repair, metrics, log });
  metrics.watch(streamGauges(stream.standing, { limit: config.limits.backlog, clock: Date.now }));
  const { refuseErased } = privately.marks;
  const parties = buildParties(config, { db, verifyToken, metrics, hashOf, nameless, refuseErased, log });
  // Timed by what goes to Redis together, not by the request.
  async function append(...its: Parameters<typeof stream.append>): Promise<boolean[]> {
    const taken = await metrics.measure("append", () => outside(() => stream.append(...its)));
    metrics.failed("append", taken.filter((one) => !one).length);
    const [entries] = its;
    metrics.accepted(entries.reduce((sum, { events }, at) => sum + (taken[at] ? events : 0), 0));
    return taken;
  }
  const appendShared = appender({ append }, config.limits.backlog);

  async function work(signal: AbortSignal): Promise<void> {
    const { lingerMs, reclaimAfterMs } = config.drain;
    const turnDeps = { store: storeFolded, project: projectRows, publish, settle: stream.settle, log };
    const drainDeps = {
      stream,
      turn: seenTurns(turnDeps, { metrics, tracing }),
      ...{ clock: Date.now, log, lingerMs, reclaimAfterMs },
    };
    const evictUser = (user: UserId) => evict(views, user);
    await Promise.all([
      drain(drainDeps, signal),
      outbox.work(signal),
      carryChanges({ db, project: projectQuietly, catalogueMoved, clock: Date.now, log }, signal),
      privately.work(signal),
      sweeper({ redis: views, evict: evictUser, clock: Date.now, log, bounds: config.warm }, signal),
      parties.work(signal),
    ]);
  }

  return {
    deps: {
      append: (entry) => spanned("append", () => appendShared(withOrigin(entry))),
      applyNow,
      history: readerWithinReach(log, "the history", historyReader({ ...readDeps, refill })),
      nextUp: (user, request) => withinReach(log, "the history", nextUp(user, request)),
      contents: contentLibrary({ db, catalogueMoved, log }),
      parties: parties.library,
      profiles: readerWithinReach(log, "the profile", profiles),
      library: profileLibrary({
        ...{ db, log, clock: Date.now, newId: randomUUID },
        ...{ views: { ...profileViews, put: putAndTell }, contents: viewDeps.contents },
        ...privately.marks,
      }),
      privacy,
      loadReviews: (content, request) => withinReach(log, "the catalogue", loadReviews(db, content, request)),
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

/** Where somebody records the request, the entry tells the turn that stores it. */
function withOrigin(entry: Entry): Entry {
  const origin = recordedTraceparent();
  return origin === null ? entry : { ...entry, traceparent: origin };
}

type Given = {
  postgres: { url: string; max: number; erasureKey: string };
  /** The one connection over which events are appended, so that WAIT covers them. */
  streamRedis: Redis;
  bus: Bus;
  metrics: Metrics;
  tracing: Tracing;
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
