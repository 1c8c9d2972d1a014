import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Listed } from "../../db/contract/listed.ts";
import type { Profile, ProfileFacts } from "../../db/contract/profiles.ts";
import type { Rated } from "../../db/contract/rated.ts";
import type { RatingInput } from "../../db/contract/ratings.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { ContentLookup } from "../views/contents.ts";
import type { ProfileProjection } from "../views/profile-views.ts";
import { withProgress } from "../views/read-profile.ts";
import { type ProfileWriterDeps, profileWriter, type Written } from "./profile-writer.ts";
import { storeProfile } from "./store-profile.ts";
import { removeRating, storeRating } from "./store-rating.ts";
import { addToWatchlist, removeFromWatchlist } from "./store-watchlist.ts";

/**
 * What belongs to users beside the history, as it is written.
 *
 * Everything throws Refusal `unavailable` while Postgres is out of reach, and writes `erased` for who was erased.
 */
export type ProfileLibrary = {
  /** @param again whether this lets somebody in again who was erased. */
  put(user: UserId, facts: ProfileFacts, again: boolean): Promise<Written<Profile>>;
  /** @throws Refusal `list_full` */
  add(user: UserId, content_id: ContentId): Promise<Written<Listed>>;
  remove(user: UserId, content_id: ContentId): Promise<Written<null>>;
  rate(user: UserId, rating: RatingInput): Promise<Written<Rated>>;
  unrate(user: UserId, content_id: ContentId): Promise<Written<null>>;
};

export function profileLibrary(deps: ProfileLibraryDeps): ProfileLibrary {
  const { contents, refuseErased = async () => {}, acceptAgain = async () => {} } = deps;
  const { load } = deps.views;
  const write = profileWriter(deps);
  const adding = { admit: refuseErased, ofNobody: null };
  const nothingThere = { event: null, created: false, row: null };
  const removing = { admit: refuseErased, ofNobody: nothingThere, answer: () => null };

  return {
    put: (user, facts, again) =>
      write(user, {
        ...(again ? { ...adding, admit: acceptAgain } : adding),
        store: (tx, occurrence) => storeProfile(tx, user, facts, occurrence),
        load: load.profile,
        answer: ({ found }) => found as Profile,
      }),

    add: (user, content_id) =>
      write(user, {
        ...adding,
        store: (tx, occurrence) => addToWatchlist(tx, { user_id: user, content_id }, occurrence),
        load: load.watchlist,
        async answer({ found }, tx) {
          const its = found.filter((item) => item.content_id === content_id);
          return (await withProgress({ via: tx, contents }, user, its))[0] as Listed;
        },
      }),

    remove: (user, content_id) =>
      write(user, {
        ...removing,
        store: (tx, occurrence) => removeFromWatchlist(tx, { user_id: user, content_id }, occurrence),
        load: load.watchlist,
      }),

    rate: (user, rating) =>
      write(user, {
        ...adding,
        store: (tx, occurrence) => storeRating(tx, { user_id: user, ...rating }, occurrence),
        load: load.ratings,
        answer: ({ row }) => row,
      }),

    unrate: (user, content_id) =>
      write(user, {
        ...removing,
        store: (tx, occurrence) => removeRating(tx, { user_id: user, content_id }, occurrence),
        load: load.ratings,
      }),
  };
}

export type ProfileLibraryDeps = ProfileWriterDeps & {
  views: ProfileProjection;
  contents: ContentLookup;
  /** Called once the lock is held, before anything is stored. @throws Refusal `erased` for somebody who was erased. */
  refuseErased?: (tx: Transaction, user: UserId) => Promise<void>;
  /** Called instead of it when a service puts a profile: somebody who was erased is accepted again. */
  acceptAgain?: (tx: Transaction, user: UserId) => Promise<void>;
};
