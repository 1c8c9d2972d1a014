import { describe, expect, test } from "vitest";
import type { Role } from "../../db/contract/access-matrix.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { limitHeaders, limitOf, type Verdict } from "../../db/contract/limits.ts";
import { ratesOf } from "../../db/environment.ts";
import type { EdgeContext } from "../../edge/deps.ts";
import { edgeConfig } from "../../edge/env.ts";
import { requestLimit } from "../../edge/limit.ts";
import { testClock } from "../support/clock.ts";

describe("whom which limit holds for", () => {
  const rates = ratesOf({
    RATE_LIMIT_PER_MINUTE: 200,
    RATE_LIMIT_PER_ROLE: "service=0, support=600,admin=0",
  });

  test.each<[Role[], number]>([
    [["user"], 200],
    [["support"], 600],
    [["user", "support"], 600],
    [["service"], 0],
    [["user", "service"], 0],
    [["admin", "support"], 0],
  ])("%o: %i", (roles, limit) => {
    expect(limitOf(roles, rates)).toBe(limit);
  });

  test("0 for everybody leaves the roles that have their own", () => {
    const off = { ...rates, perMinute: 0 };
    expect([limitOf(["user"], off), limitOf(["support"], off)]).toEqual([0, 600]);
  });

  test("a limit that is none is said with everything else that is wrong", () => {
    const told = () => edgeConfig({ RATE_LIMIT_PER_MINUTE: "-1", RATE_LIMIT_PER_ROLE: "services=0" });
    for (const name of ["RATE_LIMIT_PER_MINUTE", "RATE_LIMIT_PER_ROLE", "INGEST_URL"])
      expect(told).toThrow(`${name}:`);
  });
});

test("what a client is told are structured fields, in seconds from now", () => {
  const verdict = { allowed: true, perMinute: 200, remaining: 150, resetAt: 61_500 };
  expect(limitHeaders(verdict, 60_000)).toEqual({
    RateLimit: '"user";r=150;t=2',
    "RateLimit-Policy": '"user";q=200;w=60',
  });
  expect(limitHeaders({ ...verdict, remaining: null }, 60_000)).toEqual({});
});

describe("what the edge remembers", () => {
  /** A limiter whose counts are answered when the test says so. */
  function limiting() {
    const clock = testClock(1_000_000);
    const counts: { user: UserId; answer: (verdict: Partial<Verdict>) => void; fail: () => void }[] = [];
    const underway: Promise<void>[] = [];
    const logged: unknown[] = [];
    const limit = requestLimit({
      count: (user, perMinute) =>
        new Promise((resolve, reject) => {
          const resetAt = clock.now() + 60_000;
          counts.push({
            user,
            answer: (its) => resolve({ allowed: true, perMinute, remaining: 1, resetAt, ...its }),
            fail: () => reject(new Error("TimeoutError")),
          });
        }),
      ...{ together: 10, everyMs: 5_000 },
      rates: { perMinute: 2, perRole: { service: 0 } },
      now: clock.now,
      log: (...line) => void logged.push(line),
      outlive: (_, work) => void underway.push(work),
    });
    /** @returns what the client is told, or the refusal. */
    function ask(user = "alice", role: Role = "user"): unknown {
      const headers: Record<string, string> = {};
      const viewer = { user_id: user as UserId, roles: [role] };
      const c = { var: { viewer }, header: (name: string, value: string) => (headers[name] = value) };
      try {
        limit(c as unknown as EdgeContext);
        return headers;
      } catch (refusal) {
        return refusal;
      }
    }
    async function counted(how: (count: (typeof counts)[number]) => void): Promise<void> {
      for (const count of counts.splice(0)) how(count);
      await Promise.all(underway.splice(0));
    }
    return { ask, counts, counted, clock, logged };
  }
  const refused = expect.objectContaining({ code: "rate_limited" });

  test("a request is not refused by its own count, the next one is, and others are not", async () => {
    const { ask, counts, counted } = limiting();
    expect(ask()).toEqual({});
    await counted(({ answer }) => answer({ allowed: false, remaining: 0 }));
    expect(ask()).toEqual(refused);
    expect(ask("bob")).toEqual({});
    expect(counts.map(({ user }) => user)).toEqual(["bob"]);
  });

  test("who is refused is counted again after a second, and let through as soon as there is room", async () => {
    const { ask, counts, counted, clock } = limiting();
    ask();
    await counted(({ answer }) => answer({ allowed: false, remaining: 0 }));
    clock.advance(999);
    expect([ask(), counts.length]).toEqual([refused, 0]);
    clock.advance(1);
    expect([ask(), ask(), counts.length]).toEqual([refused, refused, 1]);
    await counted(({ answer }) => answer({}));
    expect(ask()).toMatchObject({ RateLimit: expect.stringContaining("r=0;") });
  });

  test("a verdict is over with its minute", async () => {
    const { ask, counted, clock } = limiting();
    ask();
    await counted(({ answer }) => answer({ allowed: false, remaining: 0 }));
    clock.advance(60_000);
    expect(ask()).toEqual({});
  });

  test("what cannot be counted goes through, also for who was refused, and is said once a minute", async () => {
    const { ask, counted, clock, logged } = limiting();
    ask();
    await counted(({ answer }) => answer({ allowed: false, remaining: 0 }));
    clock.advance(1_000);
    expect(ask()).toEqual(refused);
    for (let n = 0; n < 3; n++) {
      await counted(({ fail }) => fail());
      expect(ask()).toEqual({});
    }
    expect(logged).toEqual([["warn", expect.any(String), { uncounted: 1, reason: "TimeoutError" }]]);
    clock.advance(60_000);
    ask();
    await counted(({ fail }) => fail());
    expect(logged.at(-1)).toEqual(["warn", expect.any(String), { uncounted: 3, reason: "TimeoutError" }]);
  });

  test("whoever has no limit is not counted", () => {
    const { ask, counts } = limiting();
    expect([ask("cms", "service"), counts]).toEqual([{}, []]);
  });

  test("only so many users, the latest", async () => {
    const { ask, counted } = limiting();
    for (let n = 0; n < 10_001; n++) ask(`u${n}`);
    await counted(({ answer }) => answer({ allowed: false, remaining: 0 }));
    expect([ask("u1"), ask("u10000"), ask("u0")]).toEqual([refused, refused, {}]);
  });
});
