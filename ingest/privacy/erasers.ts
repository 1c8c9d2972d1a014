import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { NEXT_UP_KINDS } from "../../db/contract/next-up.ts";
import type { Database } from "../../db/postgres/connect.ts";
import {
  hostlessParties,
  type NamelessId,
  namelessLikes,
  namelessLogs,
  namelessMessages,
} from "../../db/postgres/erase-parties.ts";
import { eraseFrom, eraseList, erasePlays, eraseRatings } from "../../db/postgres/erase-rows.ts";
import { WATCH_HISTORY, WATCHLIST } from "../../db/postgres/schema/playlists.ts";
import {
  busStream,
  deadEvents,
  limitKeys,
  nextUpKey,
  profileKey,
  ratingsKey,
  warmUsers,
  watchlistKey,
} from "../../db/redis/keys.ts";
import type { PartyTraces } from "../party/party-traces.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { evict } from "../views/evict.ts";
import { eraseEventsIn, eraseQuarantined } from "./erase-entries.ts";

/** Where something is kept of users, and how all of one user goes: whoever keeps more adds a line to the list. */
export type Eraser = {
  store: string;
  /** @returns how many there were. Once more finds what came since, and is harmless. */
  erase: (its: Erasing) => Promise<number>;
};

/** @param since the entry of a stream of events up to which everything is erased; `-` when nothing is. */
export type Erasing = { user: UserId; since: string };

/** What Postgres holds, and what Redis does: a Redis that is away keeps no row. */
export type Erasers = { rows: readonly Eraser[]; others: readonly Eraser[] };

/** All there is. Views come after the rows that they are made of, and events after what they tell of. */
export function erasersOn(deps: EraserDeps): Erasers {
  const { db, views, stream, sessions, parties, nameless, clock } = deps;
  return {
    rows: [
      { store: "plays", erase: ({ user }) => erasePlays(db, user) },
      { store: "history", erase: ({ user }) => eraseList(db, user, WATCH_HISTORY) },
      { store: "history_settings", erase: ({ user }) => eraseFrom(db, user, "history_users") },
      { store: "watchlist", erase: ({ user }) => eraseList(db, user, WATCHLIST) },
      { store: "ratings", erase: ({ user }) => eraseRatings(db, user) },
      { store: "profile", erase: ({ user }) => eraseFrom(db, user, "profiles") },
      { store: "parties", erase: ({ user }) => hostlessParties(db, user, clock()) },
      { store: "party_members", erase: ({ user }) => eraseFrom(db, user, "watch_party_members") },
      { store: "party_messages", erase: ({ user }) => namelessMessages(db, user, nameless) },
      { store: "party_logs", erase: ({ user }) => namelessLogs(db, user) },
      { store: "party_likes", erase: ({ user }) => namelessLikes(db, user) },
      { store: "outbox", erase: ({ user }) => eraseFrom(db, user, "outbox") },
    ],
    others: [
      { store: "sessions", erase: ({ user }) => untilNone(() => sessions.erase(user)) },
      { store: "party_rooms", erase: ({ user }) => parties().erase(user) },
      { store: "views", erase: ({ user }) => eraseViews(views, user) },
      { store: "limits", erase: ({ user }) => views.del(...limitKeys(user, clock())) },
      { store: "quarantine", erase: ({ user }) => eraseQuarantined(stream, user) },
      { store: "bus", erase: ({ user, since }) => eraseEventsIn(stream, busStream, user, since) },
      { store: "bus_set_aside", erase: ({ user }) => eraseEventsIn(stream, deadEvents, user, "-") },
    ],
  };
}

/** Views and index records of a user, and the place among those who are warm. */
async function eraseViews(redis: Redis, user: UserId): Promise<number> {
  const evicted = await evict(redis, user);
  const others = [profileKey(user), watchlistKey(user), ratingsKey(user)];
  const gone = await redis.del(...NEXT_UP_KINDS.map((kind) => nextUpKey(user, kind)), ...others);
  return evicted + gone + (await redis.zrem(warmUsers, user));
}

async function untilNone(erase: () => Promise<number>): Promise<number> {
  let erased = 0;
  for (let gone = await erase(); gone > 0; gone = await erase()) erased += gone;
  return erased;
}

type EraserDeps = {
  db: Database;
  /** Redis with the views, and Redis with the event stream. */
  views: Redis;
  stream: Redis;
  sessions: Pick<SessionStore, "erase">;
  parties: () => Pick<PartyTraces, "erase">;
  nameless: NamelessId;
  clock: () => number;
};
