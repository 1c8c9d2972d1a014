import { describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { Verdict } from "../../db/contract/limits.ts";
import { requestTally } from "../../db/contract/tally.ts";
import { testClock } from "../support/clock.ts";

const alice = "alice" as UserId;
const LIMIT = 100;
const FAILED = { allowed: null };

/** A tally over a counter that knows no window: what was told is all there is. */
function counting({ together = 10, everyMs = 60_000, users = 10 } = {}) {
  const clock = testClock(120_000);
  const told: [user: string, requests: number][] = [];
  let elsewhere = 0;
  let isAway = false;
  const tally = requestTally({
    count: async (user, perMinute, requests): Promise<Verdict> => {
      if (isAway) throw new Error("away");
      told.push([user, requests]);
      const sum = told.reduce((all, [whose, n]) => (whose === user ? all + n : all), elsewhere);
      const resetAt = (Math.floor(clock.now() / 60_000) + 1) * 60_000;
      return { allowed: sum <= perMinute, perMinute, remaining: Math.max(0, perMinute - sum), resetAt };
    },
    ...{ together, everyMs, users, now: clock.now },
  });
  async function ask(user = alice) {
    const { known, isFar, telling } = tally(user, LIMIT);
    return { known, isFar, told: telling && (await telling.catch(() => FAILED)) };
  }
  return {
    ...{ ask, told, clock },
    alsoElsewhere: (requests: number) => (elsewhere += requests),
    goAway: (away: boolean) => (isAway = away),
  };
}

describe("who is far from the limit", () => {
  test("is told of at once when first seen, then a few together", async () => {
    const { ask, told } = counting();
    for (let n = 0; n < 31; n++) await ask();
    expect(told).toEqual([
      [alice, 1],
      [alice, 10],
      [alice, 10],
      [alice, 10],
    ]);
  });

  test("knows how many are left, whether they were told or not", async () => {
    const { ask } = counting();
    await ask();
    for (let left = 98; left > 80; left--) {
      expect(await ask()).toMatchObject({ isFar: true, known: { remaining: left, resetAt: 180_000 } });
    }
  });

  test("is told of once in a while, also when there is little to tell, and not because a minute is over", async () => {
    const { ask, told, clock } = counting();
    await ask();
    for (let n = 0; n < 11; n++) {
      clock.advance(10_000);
      await ask();
    }
    expect(told).toEqual([
      [alice, 1],
      [alice, 6],
    ]);
  });

  test("stays far when the counter is away", async () => {
    const { ask, goAway } = counting({ together: 1 });
    await ask();
    goAway(true);
    expect(await ask()).toMatchObject({ isFar: true, told: FAILED });
    expect(await ask()).toMatchObject({ isFar: true, told: FAILED });
  });
});

describe("who is near the limit", () => {
  test("is told of one by one, and no request more than there may be is taken", async () => {
    const { ask, told } = counting();
    let taken = 0;
    for (let n = 0; n < LIMIT + 30; n++) {
      const { known, isFar, told } = await ask();
      if (isFar || (told ?? known)?.allowed) taken++;
    }
    expect(taken).toBe(LIMIT);
    expect(told.slice(-20).every(([, requests]) => requests === 1)).toBe(true);
  });

  test("because of what happens elsewhere is known as such with the next telling", async () => {
    const { ask, alsoElsewhere } = counting();
    await ask();
    alsoElsewhere(LIMIT);
    const asked = [];
    for (let n = 0; n < 11; n++) asked.push(await ask());
    expect(asked.map(({ known }) => known?.allowed)).toEqual([...Array(10).fill(true), false]);
  });
});

test("who is refused is told of again after a second, alone, and what cannot be told refuses nobody", async () => {
  const { ask, told, alsoElsewhere, clock, goAway } = counting();
  alsoElsewhere(LIMIT);
  await ask();
  expect(await ask()).toMatchObject({ known: { allowed: false }, told: null });
  clock.advance(1_000);
  expect(await ask()).toMatchObject({ known: { allowed: false }, told: { allowed: false } });
  expect(told).toEqual([
    [alice, 1],
    [alice, 1],
  ]);
  clock.advance(1_000);
  goAway(true);
  expect(await ask()).toMatchObject({ told: FAILED });
  expect(await ask()).toMatchObject({ known: null, told: FAILED });
});

test("each by itself, where that is wanted", async () => {
  const { ask, told } = counting({ together: 1, everyMs: 0 });
  for (let n = 0; n < 5; n++) await ask();
  expect(told.map(([, requests]) => requests)).toEqual([1, 1, 1, 1, 1]);
});

test("only so many users are remembered, the latest that were told of", async () => {
  const { ask, told } = counting({ users: 2 });
  for (const user of ["a", "b", "c", "b", "a"]) await ask(user as UserId);
  expect(told.map(([user]) => user)).toEqual(["a", "b", "c", "a"]);
});
