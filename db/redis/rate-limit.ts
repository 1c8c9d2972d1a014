import { Ratelimit } from "@upstash/ratelimit";
import type { CountRequests } from "../contract/limits.ts";
import { limitPrefix } from "./keys.ts";

/**
 * Counts requests of users in Redis, in a minute that slides: the counters of this minute and of the one before, by the
 * script of @upstash/ratelimit. Both sides count under the same keys, so what a user does anywhere comes together.
 *
 * What is refused is not counted. Counters expire two minutes after they began.
 */
export function requestCounter(redis: RunsScripts): CountRequests {
  const limiters = new Map<number, Ratelimit>();

  function limiterFor(perMinute: number): Ratelimit {
    const known = limiters.get(perMinute);
    if (known) return known;
    const limiter = new Ratelimit({
      redis: clientOn(redis),
      limiter: Ratelimit.slidingWindow(perMinute, "60 s"),
      prefix: limitPrefix,
      ephemeralCache: false, // it has no bounds, and blocks until the minute is over
      timeout: 0, // it would say that the request was counted
    });
    limiters.set(perMinute, limiter);
    return limiter;
  }

  return async function countRequests(user, perMinute, requests) {
    // Braces are the hash tag of the user's other keys.
    const { success, remaining, reset } = await limiterFor(perMinute).limit(`{${user}}`, { rate: requests });
    return { allowed: success, perMinute, remaining: Math.max(0, remaining), resetAt: reset };
  };
}

/** What of a Redis client it takes. An error that begins with NOSCRIPT has the script sent whole. */
export type RunsScripts = {
  evalsha: RunScript;
  eval: RunScript;
};
type RunScript = (script: string, keys: string[], args: unknown[]) => Promise<unknown>;

/**
 * The library names an empty key where there is no limit to look up. An ACL and a Redis Cluster look at every key that is
 * named, so it gets the name of one that never exists, in the same slot.
 */
function clientOn(redis: RunsScripts): ConstructorParameters<typeof Ratelimit>[0]["redis"] {
  const named =
    (run: RunScript): RunScript =>
    (script, keys, args) =>
      run(
        script,
        keys.map((key) => (key === "" ? `${keys[0]}:none` : key)),
        args,
      );
  const client = { evalsha: named(redis.evalsha), eval: named(redis.eval) };
  return client as unknown as ConstructorParameters<typeof Ratelimit>[0]["redis"];
}
