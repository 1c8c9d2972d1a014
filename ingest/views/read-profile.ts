import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { type Listed, placeOfListed } from "../../db/contract/listed.ts";
import { type ListRequest, newestFirst } from "../../db/contract/pages.ts";
import type { Profile } from "../../db/contract/profiles.ts";
import type { Rated } from "../../db/contract/rated.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { watchedItem } from "../../db/redis/records.ts";
import type { Log } from "../observe/log.ts";
import type { ContentLookup } from "./contents.ts";
import { loadItems } from "./load.ts";
import { type ListedContent, loadRatings } from "./load-profile.ts";
import type { LoadedView, ProfileProjection } from "./profile-views.ts";

/**
 * Profile, watchlist and ratings as ingest reads them, for edges that could not answer: out of Postgres. What was cold is
 * warm afterwards; a Redis that is away does not matter to the answer. Of who was erased nothing is kept.
 */
export function profileReader(deps: ProfileReaderDeps): ProfileReader {
  const { db, redis, views, refill, contents, isErased, log } = deps;
  async function kept<Found>(user: UserId, loading: Promise<LoadedView<Found>>): Promise<Found> {
    const view = await loading;
    if (view.rev > 0 || !(await isErased(user))) await unlessAway(views.put(view));
    return view.found;
  }

  async function unlessAway(asking: Promise<unknown>): Promise<void> {
    await asking.catch((error) => log.warn({ error }, "profile: Redis is away, nothing is kept"));
  }

  /** How far the viewer came is read out of the history view, so that one must be warm as well. */
  async function warmHistory(user: UserId): Promise<void> {
    const warm = await redis.hget(historyKeys(user)[0], "warm").catch(() => "unknown");
    if (warm === null) await refill(user);
  }

  return {
    profile: async (user) => await kept(user, views.load.profile(db, user)),

    async watchlist(user, { limit, after }) {
      const [items] = await Promise.all([kept(user, views.load.watchlist(db, user)), warmHistory(user)]);
      const following = items.filter((item) => !after || newestFirst(after, placeOfListed(item)) < 0);
      return await withProgress({ via: db, contents }, user, following.slice(0, limit + 1));
    },

    async ratings(user, { limit, after }) {
      const page = { limit: limit + 1, after };
      const [{ found }] = await Promise.all([
        loadRatings(db, user, page),
        kept(user, views.load.ratings(db, user)),
      ]);
      return found;
    },
  };
}

/** Items of a watchlist with how far their viewer came, as Postgres has it. */
export async function withProgress(
  { via, contents }: { via: Transaction; contents: ContentLookup },
  user: UserId,
  items: readonly ListedContent[],
): Promise<Listed[]> {
  const ids = items.map(({ content_id }) => content_id);
  const rows = await loadItems(via, user, ids);
  const known = await contents(rows, via);
  const progress = new Map(
    rows.map((row) => [row.content_id, watchedItem(row, known.get(row.content_id) ?? null)]),
  );
  return items.map((item) => ({ ...item, progress: progress.get(item.content_id) ?? null }));
}

export type ProfileReader = {
  /** null when nobody put one. */
  profile(user: UserId): Promise<Profile | null>;
  /** Up to limit + 1 items after the cursor, what was added last first. */
  watchlist(user: UserId, request: ListRequest): Promise<Listed[]>;
  /** Up to limit + 1 ratings after the cursor, what changed last first. */
  ratings(user: UserId, request: ListRequest): Promise<Rated[]>;
};

type ProfileReaderDeps = {
  db: Database;
  redis: Redis;
  views: ProfileProjection;
  /** Warms the history. */
  refill: (user: UserId) => Promise<unknown>;
  contents: ContentLookup;
  /** Was the user erased, and is not accepted again? */
  isErased: (user: UserId) => Promise<boolean>;
  log: Log;
};
