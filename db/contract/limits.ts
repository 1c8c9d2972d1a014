import type { Role } from "./access-matrix.ts";
import type { UserId } from "./ids.ts";
import { Refusal } from "./refusals.ts";

/** How many requests a user may make in any minute; 0: as many as it likes. What a role has of its own goes first. */
export type Rates = { perMinute: number; perRole: Readonly<Partial<Record<Role, number>>> };

/** What became of a count. */
export type Verdict = {
  allowed: boolean;
  perMinute: number;
  /** Requests that are left; null when whoever counts does not say. */
  remaining: number | null;
  /** When there will be more, epoch milliseconds. Some of them may come sooner, for the minute slides. */
  resetAt: number;
};

/** Counts requests of a user, unless there were too many before them. @throws when that cannot be done. */
export type CountRequests = (user: UserId, perMinute: number, requests: number) => Promise<Verdict>;

/** The limit for somebody with these roles, which is that of the most generous; 0: none. */
export function limitOf(roles: readonly Role[], { perMinute, perRole }: Rates): number {
  const limits = roles.map((role) => perRole[role] ?? perMinute);
  return limits.includes(0) ? 0 : Math.max(...limits);
}

/** What a client is told of it: the structured fields of draft-ietf-httpapi-ratelimit-headers-10. */
export function limitHeaders(
  { perMinute, remaining, resetAt }: Verdict,
  now: number,
): Record<string, string> {
  if (remaining === null) return {};
  return {
    RateLimit: `"user";r=${remaining};t=${secondsUntil(resetAt, now)}`,
    "RateLimit-Policy": `"user";q=${perMinute};w=60`,
  };
}

/** For who asks too much. */
export function rateLimited({ perMinute, resetAt }: Verdict, now: number): Refusal {
  const retryAfterSeconds = secondsUntil(resetAt, now);
  return new Refusal("rate_limited", `more than ${perMinute} requests in a minute`, { retryAfterSeconds });
}

/** At least one: what is over in a moment is not over yet. */
function secondsUntil(at: number, now: number): number {
  return Math.max(1, Math.ceil((at - now) / 1_000));
}
