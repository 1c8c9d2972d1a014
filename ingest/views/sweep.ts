import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { warmUsers } from "../../db/redis/keys.ts";
import { leaveWarmSet, readWarmSet } from "../../db/redis/warm-scripts.ts";
import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";

/** Between two rounds. */
const REST_MS = 10_000;
/** Users evicted between two looks. */
const EVICTED_AT_ONCE = 100;
/**
 * Who was touched within this time stays, so that a touch after a look always changes the score that was seen;
 * this is how far the clocks of several ingests may disagree.
 */
const JUST_NOW_MS = 1_000;

/** How much may be warm. */
export type Bounds = {
  /** How many users. */
  users: number;
  /** How long since they were last projected or refilled. */
  ageMs: number;
  /** How much of Redis' maxmemory may be in use, from 0 to 1; a server without one has no such bound. */
  memory: number;
};

/** Sweeps now and then until the signal comes; a round under way stops after the users it is at. */
export async function sweeper(deps: SweepDeps, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  while (!signal.aborted) {
    await keepTrying("sweep", () => sweep(deps, signal), { signal, log }).catch(() => 0);
    await rest(REST_MS, signal);
  }
}

/**
 * Evicts the coldest users, each of them whole, until the views are within their bounds.
 *
 * A user leaves the set after the view is gone, and only if nobody touched them since they were seen: a crash in
 * between leaves a cold user in the set, never a warm one outside it. So any number of ingests may sweep at once.
 *
 * @returns how many were evicted.
 */
export async function sweep(deps: SweepDeps, signal?: AbortSignal): Promise<number> {
  const { redis, evict, log } = deps;
  const past = { users: 0, age: 0, memory: 0 };
  const evicted = () => past.users + past.age + past.memory;
  try {
    while (!signal?.aborted) {
      const found = await coldestPastBounds(deps);
      if (found === null) break;
      // One after the other, so that nobody waits for Redis behind a hundred of them.
      for (const { user } of found.coldest) await evict(user);
      const seen = found.coldest.flatMap(({ user, score }) => [user, score]);
      await runScript(redis, leaveWarmSet, [warmUsers], seen);
      past[found.past] += found.coldest.length;
    }
  } finally {
    if (evicted() > 0) log.info({ evicted: evicted(), past }, "the coldest users were evicted");
  }
  return evicted();
}

/** Whom to evict next, and which bound they are past; null when all is within bounds, or nobody is left. */
async function coldestPastBounds(
  deps: SweepDeps,
): Promise<{ past: "users" | "age" | "memory"; coldest: Seen[] } | null> {
  const { redis, clock, bounds } = deps;
  const now = clock();
  const { size, coldest } = await look(redis, now - JUST_NOW_MS);
  if (coldest.length === 0) return null;

  const tooMany = coldest.slice(0, Math.max(0, size - bounds.users));
  if (tooMany.length > 0) return { past: "users", coldest: tooMany };
  const tooOld = coldest.filter(({ score }) => Number(score) < now - bounds.ageMs);
  if (tooOld.length > 0) return { past: "age", coldest: tooOld };
  if ((await memoryInUse(redis)) > bounds.memory) return { past: "memory", coldest };
  return null;
}

/** How many are in the set and who of them is coldest, at one instant. */
async function look(redis: Redis, until: number): Promise<{ size: number; coldest: Seen[] }> {
  const reply = await runScript(redis, readWarmSet, [warmUsers], [until, EVICTED_AT_ONCE]);
  const [size, found] = reply as [number, string[]];
  const coldest = found.flatMap((user, at) =>
    at % 2 === 0 ? [{ user: user as UserId, score: found[at + 1] ?? "" }] : [],
  );
  return { size, coldest };
}

/** The share of maxmemory; 0 when there is none. */
async function memoryInUse(redis: Redis): Promise<number> {
  const info = await redis.info("memory");
  const its = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return its("maxmemory") === 0 ? 0 : its("used_memory") / its("maxmemory");
}

/** A user with the score as Redis told it. */
type Seen = { user: UserId; score: string };

export type SweepDeps = {
  redis: Redis;
  /** Makes a user cold: see `evict` in project.ts. */
  evict: (user: UserId) => Promise<unknown>;
  clock: () => number;
  log: Log;
  bounds: Bounds;
};
