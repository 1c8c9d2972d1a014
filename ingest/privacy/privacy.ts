import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Receipt } from "../../db/contract/privacy.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { NamelessId } from "../../db/postgres/erase-parties.ts";
import { type HashOf, isErased } from "../../db/postgres/erased.ts";
import { erasedUsers } from "../../db/redis/keys.ts";
import { withinReach } from "../library/within-reach.ts";
import type { Log } from "../observe/log.ts";
import type { PartyTraces } from "../party/party-traces.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { EventStream } from "../stream.ts";
import { erasersOn } from "./erasers.ts";
import { erasure } from "./erasure.ts";
import { type ErasureMarks, erasureMarks } from "./erasure-marks.ts";
import { exporter } from "./exporter.ts";
import { finishErasures } from "./finish-erasures.ts";

const RETRY_SECONDS = 5;
/** What is done after a receipt is given. */
const TO_FOLLOW = [
  "Whatever was accepted before and waits to be stored is dropped unseen.",
  "The erasure is repeated once everything has ended that was under way; until then the user's id is kept for it.",
];

/** What people may ask for: all that is kept of them, and that nothing is. */
export type Privacy = {
  /** @throws Refusal `unavailable` while a store is out of reach, before anything is said. */
  export: (user: UserId) => Promise<AsyncGenerator<Uint8Array>>;
  /**
   * @throws Refusal `unavailable` while a store is out of reach. Once the user is marked, what is left is erased without
   * being asked again.
   */
  erase: (user: UserId) => Promise<Receipt>;
};

/** The real thing, on the stores of an ingest. */
export function privacyOn(deps: PrivacyDeps): {
  privacy: Privacy;
  marks: ErasureMarks;
  work: (signal: AbortSignal) => Promise<void>;
} {
  const { db, views, streamRedis: redis, stream, sessions, parties, hashOf, nameless, clock, log } = deps;
  const marks = erasureMarks({ db, redis, hashOf, clock });
  const erasers = erasersOn({ db, views, stream: redis, sessions, parties, nameless, clock });
  const its = erasure({ db, stream, redis, marks, erasers, hashOf, clock });
  const isGone = (user: UserId) => isErased(db, user, hashOf);
  const exportOf = exporter({ db, redis, stream, sessions, parties, isErased: isGone, clock });

  async function erase(user: UserId): Promise<Receipt> {
    const { erased_at, stores } = await withinReach(log, "the register of erasures", its.erase(user));
    try {
      return {
        erased_at: new Date(erased_at).toISOString(),
        stores: await stores(),
        to_follow: TO_FOLLOW,
        not_recalled: await deps.notRecalled(),
      };
    } catch (cause) {
      log.warn({ error: cause }, "an erasure is begun, and goes on when all stores are within reach");
      const detail = "the user is marked as erased, and what is out of reach goes as soon as it is back";
      throw new Refusal("unavailable", detail, { cause, retryAfterSeconds: RETRY_SECONDS });
    }
  }

  async function exportWithinReach(user: UserId): Promise<AsyncGenerator<Uint8Array>> {
    try {
      return await withinReach(log, "the user", exportOf(user));
    } catch (cause) {
      if (cause instanceof Refusal) throw cause;
      throw new Refusal("unavailable", "the sessions are out of reach", { cause });
    }
  }

  const isTold = async () => (await redis.exists(erasedUsers)) === 1;
  return {
    privacy: { erase, export: exportWithinReach },
    marks,
    work: (signal) => finishErasures({ erasure: its, marks, isTold, log }, signal),
  };
}

type PrivacyDeps = {
  db: Database;
  /** Redis with the views, and Redis with the event stream. */
  views: Redis;
  streamRedis: Redis;
  stream: Pick<EventStream, "newest" | "isDrained">;
  sessions: Pick<SessionStore, "erase" | "known">;
  /** Asked for once everything is built. */
  parties: () => PartyTraces;
  hashOf: HashOf;
  nameless: NamelessId;
  clock: () => number;
  log: Log;
  notRecalled: () => Promise<Receipt["not_recalled"]>;
};
