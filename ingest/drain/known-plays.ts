import type { UserId } from "../../db/contract/ids.ts";
import type { PlayChange } from "./fold-plays.ts";

/** As many plays as a process remembers; of more than these some are looked up in vain. */
const REMEMBERED = 100_000;
/** After this a play is looked up again, should its row be gone in the meantime. */
const FOR_MS = 600_000;

/** A play as it was when it was last stored; a start of 0 is a play that is forgotten. */
export type StoredPlay = Omit<PlayChange, "furthest">;

/** Tells changes that may change something from those that cannot. */
export type KnownPlays = {
  /** @param sinceOf since when a user is accepted again who was erased, or 0. */
  news: (changes: readonly PlayChange[], sinceOf: SinceOf) => PlayChange[];
  /** What became of changes that are committed. */
  learn: (changes: readonly PlayChange[], stored: readonly StoredPlay[], sinceOf: SinceOf) => void;
};
type SinceOf = (user: UserId) => number;

/**
 * Remembers plays as they were last stored, so that a heartbeat does not pay for a look at its play. A play only ever
 * goes one way - it began earlier, was completed earlier, came further, is forgotten - so what would not have changed
 * it then does not change it now, whoever stored it meanwhile. Only an erasure takes plays away: what is known from before
 * the user was accepted again is not believed.
 */
export function knownPlays(clock: () => number, remember = REMEMBERED): KnownPlays {
  const known = new Map<string, Known>();

  function isNews(change: PlayChange, since: number): boolean {
    const its = known.get(keyOf(change));
    if (its === undefined || its.until < clock() || its.since !== since) return true;
    if (its.started_at === 0) return false;
    return (
      change.started_at < its.started_at ||
      // The completion itself is told again when it comes again.
      (change.completed_at ?? Number.POSITIVE_INFINITY) <= (its.completed_at ?? Number.MAX_VALUE) ||
      (change.reached ?? -1) > (its.reached ?? -1) ||
      (change.furthest ?? -1) > (its.furthest ?? -1)
    );
  }

  function learn(changes: readonly PlayChange[], stored: readonly StoredPlay[], sinceOf: SinceOf): void {
    const furthest = new Map(changes.map((change) => [keyOf(change), change.furthest]));
    const until = clock() + FOR_MS;
    for (const { started_at, completed_at, reached, ...key } of stored) {
      const name = keyOf(key);
      known.delete(name);
      const since = sinceOf(key.user_id);
      known.set(name, {
        ...{ started_at, completed_at, reached, until, since },
        furthest: furthest.get(name) ?? null,
      });
    }
    for (const oldest of known.keys()) {
      if (known.size <= remember) break;
      known.delete(oldest);
    }
  }

  return {
    news: (changes, sinceOf) => changes.filter((change) => isNews(change, sinceOf(change.user_id))),
    learn,
  };
}

/** No id that was accepted holds a space: the key is unambiguous. */
function keyOf({
  user_id,
  content_id,
  play_id,
}: Pick<PlayChange, "user_id" | "content_id" | "play_id">): string {
  return `${user_id} ${content_id} ${play_id}`;
}

type Known = Pick<PlayChange, "started_at" | "completed_at" | "reached" | "furthest"> & {
  until: number;
  since: number;
};
