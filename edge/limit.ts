import { type CountRequests, limitHeaders, limitOf, type Rates, rateLimited } from "../db/contract/limits.ts";
import { requestTally } from "../db/contract/tally.ts";
import type { EdgeContext, EdgeDeps, EdgeRedis, Log } from "./deps.ts";

/** Users whose last verdict is remembered. */
const USERS = 10_000;
/** How often it is said that counting fails. */
const TELL_MS = 60_000;

/**
 * Limits how often users ask, without anybody waiting for it: a request is counted while it is answered, and what became
 * of the count applies to the next one that comes here. Whatever cannot be counted goes through.
 *
 * What is kept between requests are verdicts, never a promise of another request.
 */
export function requestLimit({
  count,
  together,
  everyMs,
  rates,
  now,
  log,
  outlive,
}: Given): EdgeDeps["limit"] {
  const tally = requestTally({ count, together, everyMs, now, users: USERS });
  let uncounted = 0;
  let toldAt = Number.NEGATIVE_INFINITY;

  function complain(error: unknown): void {
    uncounted += 1;
    if (now() < toldAt + TELL_MS) return;
    const reason = error instanceof Error ? error.message : "unknown";
    log("warn", "limit: requests cannot be counted, they go through", { uncounted, reason });
    uncounted = 0;
    toldAt = now();
  }

  return function limit(c) {
    const { user_id, roles } = c.var.viewer;
    const perMinute = limitOf(roles, rates);
    if (perMinute === 0) return;
    const { known, telling } = tally(user_id, perMinute);
    if (telling !== null) outlive(c, telling.then(ignore, complain));
    if (!known) return;
    const at = now();
    for (const [name, value] of Object.entries(limitHeaders(known, at))) c.header(name, value);
    if (!known.allowed) throw rateLimited(known, at);
  };
}

/** In Redis, where other edges and ingest count, too. Who loads a page asks a few times in a moment. */
export function countedIn({ countRequests }: EdgeRedis): Counting {
  return { count: countRequests, together: 10, everyMs: 5_000 };
}

/** By the `ratelimits` binding of a Worker: how many, and in which minute, is the binding's business. */
export function countedBy(binding: RateLimitBinding, now: () => number): Counting {
  async function count(user: string, perMinute: number) {
    const { success } = await binding.limit({ key: user });
    const resetAt = (Math.floor(now() / 60_000) + 1) * 60_000;
    return { allowed: success, perMinute, remaining: null, resetAt };
  }
  return { count, together: 1, everyMs: 0 };
}

export type RateLimitBinding = { limit(options: { key: string }): Promise<{ success: boolean }> };

function ignore(): void {}

type Counting = { count: CountRequests; together: number; everyMs: number };
type Given = Counting & {
  rates: Rates;
  now: () => number;
  log: Log;
  /** Lets work go on when its request is answered. */
  outlive: (c: EdgeContext, work: Promise<void>) => void;
};
