import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Profile } from "../../db/contract/profiles.ts";
import type { Rated } from "../../db/contract/rated.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import { profileKey, ratingsKey, watchlistKey } from "../../db/redis/keys.ts";
import {
  type ProfileFields,
  packProfile,
  packRatings,
  packWatchlist,
} from "../../db/redis/profile-records.ts";
import { putProfileView } from "../../db/redis/profile-scripts.ts";
import { runScripts } from "../redis.ts";
import {
  type ListedContent,
  loadProfile,
  loadRatings,
  loadWatchlist,
  type Versioned,
} from "./load-profile.ts";

/** The newest ratings that Redis holds of a user; older ones come from Postgres. */
const RATINGS_KEPT = 100;

/** A view as Postgres had it, to be put into Redis. */
export type LoadedView<Found> = Versioned<Found> & {
  key: string;
  /** Epoch milliseconds: counted from before it was loaded. */
  expires_at: number;
  fields: ProfileFields;
};

/**
 * The views of profile, watchlist and ratings: loaded from Postgres, and put into Redis, where the higher version stays.
 * So writes, refills and repairs may race in any order.
 *
 * Whoever writes loads within the transaction and puts once it is committed. A crash in between leaves the view as it
 * was: `rewrite` mends that, and is called before the event of that write is published.
 */
export function profileProjection({ db, redis, ttlMs, clock }: ProfileProjectionDeps): ProfileProjection {
  async function loaded<Found>(
    key: string,
    load: () => Promise<Versioned<Found>>,
    pack: (found: Found) => ProfileFields,
  ): Promise<LoadedView<Found>> {
    const expires_at = clock() + ttlMs;
    const versioned = await load();
    return { ...versioned, key, expires_at, fields: pack(versioned.found) };
  }

  const load: Loads = {
    profile: (via, user) => loaded(profileKey(user), () => loadProfile(via, user), packProfile),
    watchlist: (via, user) =>
      loaded(
        watchlistKey(user),
        () => loadWatchlist(via, user),
        (items) => packWatchlist(items, madeOf(items)),
      ),
    async ratings(via, user) {
      const wanted = { limit: RATINGS_KEPT + 1, after: null };
      const pack = (items: Rated[]) =>
        packRatings(items.slice(0, RATINGS_KEPT), items.length <= RATINGS_KEPT);
      return await loaded(ratingsKey(user), () => loadRatings(via, user, wanted), pack);
    },
  };

  async function put(...views: LoadedView<unknown>[]): Promise<void> {
    const calls = views.map(({ key, rev, expires_at, fields }) => ({
      keys: [key],
      args: [rev, expires_at, ...fields],
    }));
    for (const outcome of await runScripts(redis, putProfileView, calls)) {
      if (outcome instanceof Error) throw outcome;
    }
  }

  async function rewrite(user: UserId): Promise<void> {
    await put(
      ...(await Promise.all([load.profile(db, user), load.watchlist(db, user), load.ratings(db, user)])),
    );
  }

  return { load, put, rewrite };
}

/** Stands for what the catalogue says of these items. */
function madeOf(items: readonly ListedContent[]): string {
  const said = JSON.stringify(items.map(({ title, thumbnail }) => [title, thumbnail]));
  return createHash("sha1").update(said).digest("base64url").slice(0, 12);
}

type Load<Found> = (via: Transaction, user: UserId) => Promise<LoadedView<Found>>;
type Loads = { profile: Load<Profile | null>; watchlist: Load<ListedContent[]>; ratings: Load<Rated[]> };

export type ProfileProjection = {
  load: Loads;
  /** @throws when Redis is away: try again. */
  put: (...views: LoadedView<unknown>[]) => Promise<void>;
  /** Makes all three what Postgres says now. @throws when a store is away: try again. */
  rewrite: (user: UserId) => Promise<void>;
};

export type ProfileProjectionDeps = {
  db: Database;
  redis: Redis;
  /** How long a view stays after it was loaded. */
  ttlMs: number;
  clock: () => number;
};
