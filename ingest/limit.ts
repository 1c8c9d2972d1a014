import type { Redis } from "ioredis";
import { type CountRequests, limitHeaders, limitOf, type Rates, rateLimited } from "../db/contract/limits.ts";
import { requestTally } from "../db/contract/tally.ts";
import { requestCounter } from "../db/redis/rate-limit.ts";
import type { IngestContext } from "./deps.ts";
import type { LimitMetrics } from "./observe/limit-metrics.ts";

/** Users whose last verdict is remembered: a player sends a heartbeat every ten seconds. */
const USERS = 100_000;
/** Of who is far from the limit so many requests are told together, at least once in a minute. */
const TOGETHER = { together: 10, everyMs: 60_000 };

/**
 * Limits how often users write: a request is counted before anything else is done with it. Whoever may be near the limit
 * waits for that, and is refused before anything is appended. What cannot be counted in time goes through, and is counted
 * as such.
 *
 * @throws Refusal `rate_limited`
 */
export function writeLimit({ count, rates, clock, metrics }: Given): LimitWrites {
  const tally = requestTally({ count, ...TOGETHER, now: clock, users: USERS });
  function failed(): null {
    metrics.limitFailed();
    return null;
  }

  return async function limitWrites(c) {
    const { user_id, roles } = c.var.viewer;
    const perMinute = limitOf(roles, rates);
    if (perMinute === 0) return;
    const { known, isFar, telling } = tally(user_id, perMinute);
    const told = telling?.catch(failed);
    const verdict = told && !isFar ? await told : known;
    if (!verdict) return;

    const now = clock();
    for (const [name, value] of Object.entries(limitHeaders(verdict, now))) c.header(name, value);
    if (verdict.allowed) return;
    metrics.limited();
    throw rateLimited(verdict, now);
  };
}

/** Counts over a connection of its own, which gives up in time and sends what comes together at once. */
export function counterOn(redis: Redis): CountRequests {
  return requestCounter({
    evalsha: (digest, keys, args) => redis.evalsha(digest, keys.length, ...keys, ...args.map(String)),
    eval: (source, keys, args) => redis.eval(source, keys.length, ...keys, ...args.map(String)),
  });
}

export type LimitWrites = (c: IngestContext) => Promise<void>;

type Given = {
  /** Gives up by itself when it takes too long. */
  count: CountRequests;
  rates: Rates;
  clock: () => number;
  metrics: LimitMetrics;
};
