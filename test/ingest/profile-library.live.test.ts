import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { ReviewCursor } from "../../db/contract/reviews.ts";
import { loadReviews } from "../../ingest/library/load-reviews.ts";
import type { ProfileLibrary } from "../../ingest/library/profile-library.ts";
import { createProfiles, type Profiles } from "../support/profiles.ts";
import { until } from "../support/until.ts";

const [alice, bob] = ["alice", "bob"] as [UserId, UserId];
const id = (text: string) => text as ContentId;
const facts = { name: "Alice", avatar: null, preferences: { a: [1, { b: null }], c: "ü" } };
const rating = (content: string, stars: number, review: string | null = null) => ({
  ...{ content_id: id(content), rating: stars, review },
});

let world: Profiles;
let library: ProfileLibrary;
beforeAll(async () => {
  world = await createProfiles();
  library = world.library();
});
beforeEach(() => world.empty());
afterAll(() => world.stop());

const types = async () => (await world.outbox()).map(({ type }) => type);

describe("the same again", () => {
  test.each([
    ["a profile", () => library.put(alice, facts, false), "ProfileUpdated"],
    ["an item", () => library.add(alice, id("a")), "WatchlistUpdated"],
    ["a rating", () => library.rate(alice, rating("a", 5, "so so")), "VideoRated"],
  ])("of %s changes nothing and tells nobody, and mends an old view", async (_, write, type) => {
    const first = await write();
    const rev = await world.rev(alice);
    expect(await types()).toEqual([type]);

    await world.redis.flushall();
    const again = await write();
    expect(again).toEqual({ ...first, created: false, seen: true });
    expect([await world.rev(alice), await types()]).toEqual([rev, [type]]);
    expect(await world.redis.dbsize()).toBe(1);
  });

  test.each([
    ["an item", () => library.remove(alice, id("a"))],
    ["a rating", () => library.unrate(alice, id("a"))],
  ])("of taking %s away does nothing, also of somebody who is not known", async (_, remove) => {
    expect(await remove()).toEqual({ seen: true, created: false, its: null });
    expect([await world.rev(alice), await types()]).toEqual([null, []]);
    await library.add(alice, id("a"));
    await library.rate(alice, rating("a", 5));
    await remove();
    const rev = await world.rev(alice);
    const told = await types();
    expect(told).toHaveLength(3);
    await remove();
    expect([await world.rev(alice), await types()]).toEqual([rev, told]);
  });

  test("is not what differs in a part of it", async () => {
    await library.put(alice, facts, false);
    await library.put(alice, { ...facts, avatar: "https://a.example" }, false);
    await library.put(alice, { ...facts, avatar: "https://a.example", preferences: {} }, false);
    await library.rate(alice, rating("a", 5));
    await library.rate(alice, rating("a", 5, "now with words"));
    await library.rate(alice, rating("a", 6, "now with words"));
    expect(await types()).toEqual([...Array(3).fill("ProfileUpdated"), ...Array(3).fill("VideoRated")]);
  });
});

test("events say what is, in the order in which it became so, each with its own id", async () => {
  await library.put(alice, facts, false);
  await library.add(alice, id("a"));
  await library.remove(alice, id("a"));
  await library.rate(alice, rating("a", 5, "so so"));
  await library.unrate(alice, id("a"));
  const events = await world.outbox();
  expect(events.map(({ data }) => data)).toEqual([
    { user_id: alice, ...facts },
    { user_id: alice, content_id: "a", action: "added" },
    { user_id: alice, content_id: "a", action: "removed" },
    { user_id: alice, content_id: "a", rating: 5, review: "so so" },
    { user_id: alice, content_id: "a", rating: null, review: null },
  ]);
  expect(new Set(events.map((event) => event.id)).size).toBe(5);
});

test("versions only grow, and each write has its own", async () => {
  const revs: (number | null)[] = [];
  for (const write of [
    () => library.rate(alice, rating("a", 5)),
    () => library.put(bob, facts, false),
    () => library.add(alice, id("a")),
    () => library.unrate(alice, id("a")),
    () => library.put(alice, facts, false),
  ]) {
    await write();
    revs.push(await world.rev(alice));
  }
  const [first, same, ...more] = revs as number[];
  expect(same).toBe(first);
  expect([first, ...more]).toEqual([first, ...more].toSorted((a = 0, b = 0) => a - b));
  expect(new Set([first, ...more]).size).toBe(4);
});

test("what is taken off a watchlist and put there again comes first", async () => {
  for (const content of ["a", "b", "c"]) await library.add(alice, id(content));
  await library.remove(alice, id("a"));
  await library.add(alice, id("a"));
  await library.add(alice, id("b")); // is there
  const { found } = await world.views.load.watchlist(world.db, alice);
  expect(found.map(({ content_id }) => content_id)).toEqual(["a", "c", "b"]);
});

test("a full watchlist takes nothing more until something leaves it, and what is there is there", async () => {
  await world.db.execute(sql`
    INSERT INTO listitems (user_id, playlist, content_id)
    SELECT ${alice}, 'watchlist', 'c' || n FROM generate_series(1, 999) n`);
  await world.db.execute(sql`
    INSERT INTO listitems (user_id, playlist, content_id) VALUES (${alice}, 'watchhistory', 'x')`);
  expect(await library.add(alice, id("last"))).toMatchObject({ created: true });
  const rev = await world.rev(alice);
  await expect(library.add(alice, id("one more"))).rejects.toMatchObject({ code: "list_full" });
  expect(await library.add(alice, id("c7"))).toMatchObject({ created: false, seen: true });
  expect([await world.rev(alice), await types()]).toEqual([rev, ["WatchlistUpdated"]]);
  await library.remove(alice, id("c7"));
  expect(await library.add(alice, id("one more"))).toMatchObject({ created: true });
});

describe("somebody who was erased", () => {
  const erased = async () => {
    throw new Refusal("erased", "this user was erased");
  };
  const writes: [string, (library: ProfileLibrary) => Promise<unknown>][] = [
    ["puts no profile", (its) => its.put(alice, facts, false)],
    ["adds nothing", (its) => its.add(alice, id("a"))],
    ["removes nothing", (its) => its.remove(alice, id("a"))],
    ["rates nothing", (its) => its.rate(alice, rating("a", 5))],
    ["takes no rating back", (its) => its.unrate(alice, id("a"))],
  ];
  test.each(writes)("%s", async (_, write) => {
    await expect(write(world.library({ refuseErased: erased }))).rejects.toMatchObject({ code: "erased" });
    expect([await world.rev(alice), await types(), await world.redis.dbsize()]).toEqual([null, [], 0]);
  });

  test("is let in again by a service that puts a profile, in the same transaction", async () => {
    const seen: unknown[] = [];
    const its = world.library({
      refuseErased: erased,
      async acceptAgain(tx, user) {
        seen.push(user, await tx.execute(sql`SELECT user_id FROM profiles`));
      },
    });
    expect(await its.put(alice, facts, true)).toMatchObject({ its: { name: "Alice" }, seen: true });
    expect(seen).toMatchObject([alice, [{ user_id: alice }]]); // the lock is held
  });
});

describe("at the same time", () => {
  test("writes of one user wait for each other, and of others do not", async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const slow = world.library({ refuseErased: () => held }).add(alice, id("a"));
    await until(async () => (await types()).length === 0 && (await waiting()) === 0);
    let done = false;
    const next = library.rate(alice, rating("a", 5)).then(() => {
      done = true;
    });
    await until(async () => (await waiting()) === 1);
    expect(await library.rate(bob, rating("a", 7))).toMatchObject({ created: true });
    expect(done).toBe(false);
    letGo();
    await Promise.all([slow, next]);
    expect(await world.shown.ratings(alice)).toMatchObject({ found: [{ rating: 5 }] });
  });

  test("what somebody just begins with is not taken away without the lock", async () => {
    const remover = world.library({
      refuseErased: async () => void (await library.rate(alice, rating("a", 5))),
    });
    expect(await remover.unrate(alice, id("a"))).toMatchObject({ seen: true });
    expect(await types()).toEqual(["VideoRated"]);
    expect(await world.shown.ratings(alice)).toMatchObject({ found: [{ rating: 5 }] });
  });

  /** How many wait for a lock. */
  async function waiting(): Promise<number> {
    const rows = await world.db.execute(
      sql`SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return Number((rows as unknown as { n: number }[])[0]?.n);
  }

  test("any writes end in counts that a scan would give, and in views that Postgres would", async () => {
    const users = ["u1", "u2", "u3"] as UserId[];
    const write = fc.oneof(
      fc.record({
        user: fc.constantFrom(...users),
        kind: fc.constant("rate" as const),
        stars: fc.integer({ min: 1, max: 10 }),
        content: fc.constantFrom("x", "y"),
      }),
      fc.record({
        user: fc.constantFrom(...users),
        kind: fc.constantFrom("unrate" as const, "add" as const, "remove" as const),
        content: fc.constantFrom("x", "y"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 5, maxLength: 40 }), async (writes) => {
        await world.empty();
        await Promise.all(
          writes.map((its) => {
            const content = id(its.content);
            if (its.kind === "rate") return library.rate(its.user, rating(content, its.stars));
            return library[its.kind](its.user, content);
          }),
        );
        const counted = await world.db.execute(sql`
          SELECT content_id, measure, count FROM content_rollups WHERE count <> 0`);
        const scanned = await world.db.execute(sql`
          SELECT content_id, 'rating:' || rating AS measure, count(*) AS count FROM ratings
          GROUP BY content_id, rating`);
        const sorted = (rows: unknown) => (rows as object[]).map((row) => JSON.stringify(row)).toSorted();
        expect(sorted(counted)).toEqual(sorted(scanned));
        const events = await world.outbox();
        for (const user of users) {
          const ratings = await world.views.load.ratings(world.db, user);
          const seen = await world.shown.ratings(user);
          if (seen.state === "page") expect(seen.found).toEqual(ratings.found);
          // Whoever goes by the events alone knows what there is.
          const told = new Map<unknown, unknown>();
          for (const { subject, type, data } of events) {
            const its = data as { content_id: string; rating: number | null };
            if (subject === user && type === "VideoRated") told.set(its.content_id, its.rating);
          }
          const left = [...told].filter(([, stars]) => stars !== null).toSorted();
          expect(left).toEqual(ratings.found.map((its) => [its.content_id, its.rating]).toSorted());
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe("what users think of a content", () => {
  test("is told by name and never by id, and page by page without holes, also of one instant", async () => {
    for (let n = 0; n < 7; n += 1) {
      const user = `secret-${n}` as UserId;
      const its = world.library({ clock: () => Date.UTC(2026, 0, 1) + Math.floor(n / 4) });
      await its.rate(user, rating("x", 5, `review ${n}`));
      if (n === 5) await its.put(user, { ...facts, avatar: "https://a.example" }, false);
    }
    await library.rate(alice, rating("x", 9)); // without words
    const told: string[] = [];
    let after: ReviewCursor | null = null;
    for (;;) {
      const { counts, found } = await loadReviews(world.db, id("x"), { limit: 2, after });
      expect(Object.fromEntries(counts)).toEqual({ "rating:5": 7, "rating:9": 1 });
      expect(JSON.stringify(found)).not.toContain("secret");
      for (const { review, name, avatar } of found.slice(0, 2)) {
        told.push(review);
        expect([name, avatar]).toEqual(review === "review 5" ? ["Alice", "https://a.example"] : [null, null]);
      }
      const last = found[1]?.rated_at;
      if (found.length < 3 || last === undefined) break;
      const before: number = after?.rated_at === last ? after.told : 0;
      after = {
        rated_at: last,
        told: before + found.slice(0, 2).filter((its) => its.rated_at === last).length,
      };
    }
    expect(told).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `review ${n}`));
  });
});
