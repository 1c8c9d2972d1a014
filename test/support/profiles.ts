import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { ListRequest } from "../../db/contract/pages.ts";
import { connect } from "../../db/postgres/connect.ts";
import { historyKeys, profileKey, ratingsKey, watchlistKey } from "../../db/redis/keys.ts";
import { foundProfile, foundRatings, foundWatchlist } from "../../db/redis/profile-records.ts";
import { pageArguments, readProfile, readRatings, readWatchlist } from "../../db/redis/profile-scripts.ts";
import { type ProfileLibraryDeps, profileLibrary } from "../../ingest/library/profile-library.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { type ProfileProjection, profileProjection } from "../../ingest/views/profile-views.ts";
import { profileReader } from "../../ingest/views/read-profile.ts";
import { createTestDatabase } from "./postgres.ts";
import { startTestRedis } from "./redis.ts";

/** What belongs to users beside the history, on real stores, without anything around it. */
export async function createProfiles({ ttlMs = 300_000 } = {}) {
  const [database, server] = await Promise.all([createTestDatabase(), startTestRedis({ appendfsync: "no" })]);
  const { db, close } = connect(database.url, { max: 12 });
  const redis = connectRedis(server.url);
  const log = createLog("silent");
  const views = profileProjection({ db, redis, ttlMs, clock: Date.now });
  const deps = { db, views, contents: contentLookup(db), clock: Date.now, newId: randomUUID, log };

  return {
    ...{ db, redis, server, views, log },
    /** With some of its dependencies replaced. */
    library: (replaced: Partial<ProfileLibraryDeps> = {}) => profileLibrary({ ...deps, ...replaced }),
    reader: (replaced: Partial<Parameters<typeof profileReader>[0]> = {}) =>
      profileReader({
        ...{ ...deps, redis, refill: async () => {}, isErased: async () => false },
        ...replaced,
      }),
    /** At another time than now. */
    viewsAt: (clock: () => number): ProfileProjection => profileProjection({ db, redis, ttlMs, clock }),
    shown: shownOf(redis),

    async rev(user: UserId): Promise<number | null> {
      const rows = await db.execute(sql`SELECT rev FROM profiles WHERE user_id = ${user}`);
      return (rows as unknown as { rev: number }[])[0]?.rev ?? null;
    },
    /** What is to be published, in its order. */
    async outbox(): Promise<CloudEvent[]> {
      const rows = await db.execute(sql`SELECT event FROM outbox ORDER BY seq`);
      return (rows as unknown as { event: string }[]).map(({ event }) => JSON.parse(event));
    },
    async empty(): Promise<void> {
      await redis.flushall();
      await db.execute(
        sql`TRUNCATE profiles, ratings, listitems, playlists, outbox, content_rollups, contents, plays`,
      );
    },
    async stop(): Promise<void> {
      redis.disconnect();
      await Promise.all([close(), server.stop()]);
      await database.drop();
    },
  };
}

export type Profiles = Awaited<ReturnType<typeof createProfiles>>;

/** The views as the edge would find them. */
export function shownOf(redis: Redis) {
  const whole: ListRequest = { limit: 200, after: null };
  return {
    profile: async (user: UserId, known = "") =>
      foundProfile(await runScript(redis, readProfile, [profileKey(user)], [known])),
    async watchlist(user: UserId, page = whole, known = "") {
      const [state, order, progress] = historyKeys(user);
      const keys = [watchlistKey(user), state, order, progress];
      return foundWatchlist(await runScript(redis, readWatchlist, keys, pageArguments(page, known)));
    },
    ratings: async (user: UserId, page = whole, known = "") =>
      foundRatings(await runScript(redis, readRatings, [ratingsKey(user)], pageArguments(page, known))),
  };
}
