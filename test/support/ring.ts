import type { Redis } from "ioredis";
import type { Entry, WatchEvent } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Progress } from "../../db/contract/views.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { isErased } from "../../db/postgres/erased.ts";
import { readHistory } from "../../db/redis/history-scripts.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import { eventStream, historyKeys } from "../../db/redis/keys.ts";
import { foundHistory } from "../../db/redis/replies.ts";
import { type HistoryNews, historyEvents } from "../../ingest/bus/history-events.ts";
import { redisBus } from "../../ingest/bus/redis-bus.ts";
import type { Folded, OwnedEvent } from "../../ingest/drain/fold.ts";
import { knownPlays } from "../../ingest/drain/known-plays.ts";
import { store } from "../../ingest/drain/store.ts";
import { type TurnDeps, turn } from "../../ingest/drain/turn.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { type EventStream, eventStreamOn, type StreamEntry } from "../../ingest/stream.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { type Projection, project } from "../../ingest/views/project.ts";
import { refiller } from "../../ingest/views/refill.ts";
import { warmSet } from "../../ingest/views/warm-set.ts";
import { countingMetrics } from "./bus.ts";
import { createTestDatabase } from "./postgres.ts";
import { startTestRedis } from "./redis.ts";
import { hashOf } from "./store.ts";

/** The parts of the ring on real stores, to be turned by hand, one step at a time. */
export async function createRing({ historyLimit = 100, model = "auto" as ModelName | "auto" } = {}) {
  const [database, server] = await Promise.all([createTestDatabase(), startTestRedis()]);
  const { db, close } = connect(database.url, { max: 6 });
  const redis = connectRedis(server.url);
  const blocking = connectRedis(server.url);
  const log = createLog("silent");
  const stream = eventStreamOn(redis, blocking, { consumer: "by-hand", replicas: 0 });
  const viewDeps = {
    ...{ redis, historyLimit, log, db },
    warm: warmSet({ redis, clock: Date.now, log }),
    index: historyIndexOn(redis, model, log),
    contents: contentLookup(db),
    isErased: (user: UserId) => isErased(db, user, hashOf),
  };
  const bus = redisBus(redis, countingMetrics());
  const deps = {
    store: (folded: Folded, eventsOf: () => readonly OwnedEvent[] = () => []) =>
      store(db, folded, eventsOf, knownPlays(Date.now), hashOf),
    project: async (projection: Projection) => void (await project(viewDeps, projection)),
    publish: async (news: HistoryNews) =>
      await bus.publish(await historyEvents(news, await viewDeps.contents(news.rows), Date.now())),
    settle: stream.settle,
    log,
  } satisfies TurnDeps;
  const refill = refiller(viewDeps);

  return {
    database,
    server,
    db,
    redis,
    stream,
    deps,
    log,
    historyLimit,
    viewDeps,
    refill,
    /** One turn over everything that is new, with some of its steps replaced. */
    async turnOnce(replaced: Partial<TurnDeps> = {}, signal = new AbortController().signal) {
      const entries = await stream.take(1_000, 1);
      if (entries.length > 0) await turn({ ...deps, ...replaced }, entries, signal);
    },
    /** One turn over everything that was taken and never settled. */
    async turnAgain(signal = new AbortController().signal) {
      const entries: StreamEntry[] = await stream.reclaim(1_000, 0);
      if (entries.length > 0) await turn(deps, entries, signal);
    },
    /** Redis as it is after a FLUSHALL, and an ingest that has just started. */
    async emptyRedis() {
      await redis.flushall();
      viewDeps.index.lost();
    },
    async stop() {
      redis.disconnect();
      blocking.disconnect();
      await Promise.all([close(), server.stop()]);
      await database.drop();
    },
  };
}

export type Ring = Awaited<ReturnType<typeof createRing>>;

/** Events of one user as an entry in the stream. */
export async function append(
  stream: Pick<EventStream, "append">,
  user: string,
  events: readonly WatchEvent[],
) {
  const entry: Entry = {
    v: 1,
    user_id: user as UserId,
    session_id: null,
    received_at: Math.max(...events.map((event) => event.occurred_at)),
    events: [...events],
  };
  await stream.append([{ payload: JSON.stringify([entry]), events: events.length }], 1_000_000);
}

/** What the edge would read, or "cold". */
export async function readView(redis: Redis, user: UserId): Promise<Progress[] | "cold"> {
  const seen = foundHistory(await runScript(redis, readHistory, historyKeys(user), [200, "", "", ""]));
  return seen.state === "page" ? seen.found : "cold";
}

/** All keys and values of Redis that make up views, but for tokens, counts of changes. */
export async function viewsIn(redis: Redis): Promise<Record<string, unknown>> {
  const views: Record<string, unknown> = {};
  for (const key of (await redis.keys("wh:*")).sort()) {
    if (key.startsWith("wh:order:")) views[key] = await redis.zrange(key, "0", "-1", "WITHSCORES");
    if (key.startsWith("wh:progress:") || key.startsWith("wh:record:")) views[key] = await redis.hgetall(key);
  }
  return views;
}

/** Without the revs that are left behind of what is not shown. */
export function onlyShown(views: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(views).flatMap(([key, value]) => {
      if (!key.startsWith("wh:progress:")) return [[key, value]];
      const items = Object.entries(value as Record<string, string>).filter(
        ([, packed]) => !/^\[\[\d+\],/.test(packed),
      );
      return items.length > 0 ? [[key, Object.fromEntries(items)]] : [];
    }),
  );
}

export async function isSettled(redis: Redis): Promise<boolean> {
  return (await redis.xlen(eventStream)) === 0;
}

export type { Database };
