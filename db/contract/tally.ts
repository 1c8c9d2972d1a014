import type { UserId } from "./ids.ts";
import type { CountRequests, Verdict } from "./limits.ts";

/** Who has no more requests left than this is counted one by one. */
const NEAR = 20;
/** Who is refused is counted again after this: in a minute that slides there may be room soon. */
const AGAIN_MS = 1_000;

/**
 * What one process knows of how often users ask. Of somebody who is far from the limit not every request is told at once:
 * a few are told together, so that a heartbeat every ten seconds costs one round trip in a minute. Whoever is near the
 * limit, or not known yet, is told of one by one.
 *
 * So a process may keep back `together` requests of a user at most, who has more than twice as many left, as far as it knows.
 */
export function requestTally({ count, now, together, everyMs, users }: Given): Tally {
  const accounts = new Map<UserId, Account>();

  function remember(user: UserId, its: Account): void {
    accounts.delete(user);
    if (accounts.size >= users) accounts.delete(accounts.keys().next().value ?? user);
    accounts.set(user, its);
  }

  async function tell(user: UserId, perMinute: number, its: Account): Promise<Verdict> {
    const requests = its.untold;
    its.untold = 0;
    its.toldAt = now();
    remember(user, its);
    try {
      its.verdict = await count(user, perMinute, requests);
      return its.verdict;
    } catch (error) {
      // What nobody can count refuses nobody.
      if (its.verdict?.allowed === false) its.verdict = null;
      throw error;
    }
  }

  return function tally(user, perMinute) {
    const at = now();
    const its = accounts.get(user) ?? { verdict: null, untold: 0, toldAt: Number.NEGATIVE_INFINITY };
    const known = its.verdict && current(its.verdict, its.untold + 1, at);
    const isFar = known?.allowed === true && (known.remaining ?? NEAR + 1) > NEAR;
    const isRefused = known?.allowed === false;

    if (isRefused && at < its.toldAt + AGAIN_MS) return { known, isFar, telling: null };
    its.untold = isRefused ? 1 : its.untold + 1;
    const mayWait = isFar && its.untold < together && at < its.toldAt + everyMs;
    return { known, isFar, telling: mayWait ? null : tell(user, perMinute, its) };
  };
}

/** What a verdict says after so many more requests; null when it is over. */
function current(verdict: Verdict, more: number, at: number): Verdict | null {
  const remaining = verdict.remaining === null ? null : Math.max(0, verdict.remaining - more);
  if (verdict.resetAt > at) return verdict.allowed ? { ...verdict, remaining } : verdict;
  // In the next minute there are no fewer left than there were in this one.
  const isFar = verdict.allowed && remaining !== null && remaining > NEAR;
  return isFar ? { ...verdict, remaining, resetAt: (Math.floor(at / 60_000) + 1) * 60_000 } : null;
}

/** Notes a request of a user. */
export type Tally = (user: UserId, perMinute: number) => Noted;

export type Noted = {
  /** What is known before it is counted; null for nothing. */
  known: Verdict | null;
  /** Whether it would not be the last one by far. */
  isFar: boolean;
  /** The count that is under way; null when this request is told later, or not at all for being refused. */
  telling: Promise<Verdict> | null;
};

type Account = { verdict: Verdict | null; untold: number; toldAt: number };
type Given = {
  count: CountRequests;
  now: () => number;
  /** So many requests are told together at most; 1: each by itself. */
  together: number;
  /** After this the next request is told, with those before it. */
  everyMs: number;
  /** The latest of so many users are remembered. */
  users: number;
};
