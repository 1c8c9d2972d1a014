import { type SQL, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as z from "zod";
import { ContentInput } from "../../db/contract/contents.ts";
import type { Heartbeat, WatchEvent } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { NextUpKind } from "../../db/contract/next-up.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { catalogueGeneration, historyKeys, nextUpKey } from "../../db/redis/keys.ts";
import { fold } from "../../ingest/drain/fold.ts";
import { contentLibrary } from "../../ingest/library/content-library.ts";
import { storeContents } from "../../ingest/library/store-contents.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { catalogueCounter } from "../../ingest/views/catalogue-generation.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { evict } from "../../ingest/views/evict.ts";
import { nextUpReader } from "../../ingest/views/next-up.ts";
import { createRing, type Ring } from "../support/ring.ts";

/** What comes next as it is kept: never longer than it is true, whatever happens meanwhile. */

const alice = "alice" as UserId;
const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

let ring: Ring;
beforeAll(async () => {
  ring = await createRing({ historyLimit: 4 });
});
afterAll(() => ring.stop());
beforeEach(async () => {
  await ring.db.execute(sql`TRUNCATE listitems, plays, history_users, playlists, contents, content_changes`);
  await ring.emptyRedis();
  await put(...[1, 2, 3, 4, 5, 6].map((n) => episode(n)));
});

describe("what is kept", () => {
  test("is answered without Postgres, for each kind, and less of it when less is asked for", async () => {
    await put(match("m1", 2), match("m2", 1), match("past", -1));
    await put(
      { ...episode(2), content_id: "other2", show: "Other" },
      { ...episode(1), content_id: "other1", show: "Other" },
    );
    await turn(finish("e1", 1), finish("other1", 2), finish("past", 3));
    await ring.refill(alice);
    const reader = readerOf();
    expect(await reader.ask()).toEqual(["other2", "e2"]);
    expect(await reader.ask({ limit: 1 })).toEqual(["other2"]);
    expect(await reader.ask({ kind: "sport" })).toEqual(["m2"]);
    const statements = reader.statements();
    expect(statements).toBeGreaterThan(0);

    expect(await reader.ask()).toEqual(["other2", "e2"]);
    expect(await reader.ask({ limit: 1 })).toEqual(["other2"]);
    expect(await reader.ask({ kind: "sport" })).toEqual(["m2"]);
    expect(reader.statements()).toBe(statements);
  });

  test("is what was worked out, to the last member", async () => {
    await turn(finish("e1", 1));
    await ring.refill(alice);
    const reader = readerOf();
    const request = { kind: "episodes" as const, limit: 20 };
    const answers = [await reader.nextUp(alice, request), await reader.nextUp(alice, request)];
    const content = { ...ContentInput.parse({}), content_id: "e2", show: "Show", season: 1, episode: 2 };
    const last_watched_at = new Date(NOW - 1_000_000 + 1).toISOString();
    expect(answers[0]).toEqual([{ ...content, last_watched_at }]);
    expect(answers[1]).toEqual(answers[0]);
  });

  test("is as much as anybody may ask for, whoever asks first", async () => {
    const shows = Array.from({ length: 101 }, (_, n) => String(n).padStart(3, "0"));
    const episodesOf = (show: string) =>
      [1, 2].map((n) => ({ ...episode(n), show, content_id: `${show}-${n}` }));
    await put(...shows.flatMap(episodesOf));
    await turn(...shows.map((show) => finish(`${show}-1`, 1)));
    await ring.refill(alice);
    const reader = readerOf();
    expect(await reader.ask({ limit: 1 })).toEqual(["000-2"]);
    const statements = reader.statements();
    expect(await reader.ask({ limit: 100 })).toEqual(shows.slice(0, 100).map((show) => `${show}-2`));
    expect(reader.statements()).toBe(statements);
    const kept = JSON.parse((await ring.redis.get(nextUpKey(alice, "episodes"))) ?? "");
    expect(kept.items).toHaveLength(100);
  });

  test("is another's never", async () => {
    await turn(finish("e1", 1));
    await ring.refill(alice);
    await ring.refill("Alice" as UserId);
    const reader = readerOf();
    expect(await reader.ask()).toEqual(["e2"]);
    expect(await reader.nextUp("Alice" as UserId, { kind: "episodes", limit: 20 })).toEqual([]);
  });

  test("ends with any change of the view, and of the catalogue", async () => {
    await turn(finish("e1", 1));
    await ring.refill(alice);
    const { ask } = readerOf();
    const library = libraryOf();
    expect(await ask()).toEqual(["e2"]);
    await turn(finish("e2", 2));
    expect(await ask()).toEqual(["e3"]);
    await turn(mark("e3", 3, true));
    expect(await ask()).toEqual(["e4"]);
    await turn(mark("e3", 4, false));
    expect(await ask()).toEqual(["e3"]);
    await turn(forget("e2", 5));
    expect(await ask()).toEqual(["e2"]);
    await library.remove("e2" as ContentId);
    expect(await ask()).toEqual(["e3"]);
    await library.store([listed(episode(2))]);
    expect(await ask()).toEqual(["e2"]);
    await turn({ type: "clear", event_id: "c", occurred_at: at(6) });
    expect(await ask()).toEqual([]);
  });

  test("does not end with a catalogue that stays as it is", async () => {
    const library = libraryOf();
    const generation = () => ring.redis.get(catalogueGeneration);
    await library.store([listed(episode(7))]);
    expect(await generation()).toBe("1");
    await library.store([listed(episode(7))]);
    await library.remove("unknown" as ContentId);
    expect(await generation()).toBe("1");
    await library.remove("e7" as ContentId);
    expect(await generation()).toBe("2");
  });

  test("ends with the release of what was passed over", async () => {
    await put({ ...episode(2), released_at: NOW + DAY });
    await turn(finish("e1", 1));
    await ring.refill(alice);
    const reader = readerOf();
    expect(await reader.ask()).toEqual(["e3"]);
    reader.clock.now = NOW + DAY - 1;
    const before = reader.statements();
    expect([await reader.ask(), reader.statements()]).toEqual([["e3"], before]);
    reader.clock.now = NOW + DAY;
    expect(await reader.ask()).toEqual(["e2"]);
  });

  test("ends with a kickoff", async () => {
    await put(match("m1", 1), match("m2", 2), match("past", -1));
    await turn(finish("past", 1));
    await ring.refill(alice);
    const reader = readerOf();
    expect(await reader.ask({ kind: "sport" })).toEqual(["m1"]);
    reader.clock.now = NOW + DAY;
    expect(await reader.ask({ kind: "sport" })).toEqual(["m2"]);
  });

  test("is gone after five minutes, and at the next release at the latest", async () => {
    await turn(finish("e1", 1));
    await ring.refill(alice);
    await readerOf().ask();
    expect(await lifetime()).toBeGreaterThan(290_000);
    expect(await lifetime()).toBeLessThanOrEqual(300_000);
    await put({ ...episode(2), released_at: NOW + 5_000 });
    await libraryOf().store([listed(episode(8))]);
    await readerOf().ask();
    expect(await lifetime()).toBeLessThanOrEqual(5_000);
  });

  test("tells of old items as well, which are in Postgres alone", async () => {
    await turn(...[1, 2, 3, 4, 5].map((n) => finish(`e${n}`, n)), finish("elsewhere", 6), finish("away", 7));
    await ring.refill(alice);
    expect(await ring.redis.hget(historyKeys(alice)[0], "floor")).toBe(String(at(3)));
    const { ask } = readerOf();
    expect(await ask()).toEqual(["e6"]);
    await turn(mark("e5", 8, false), mark("e2", 9, false), mark("e3", 9, false));
    await turn(forget("e4", 10));
    expect(await ask()).toEqual(["e2"]);
    await turn(mark("e1", 11, false));
    expect(await ask()).toEqual([]);
  });

  const lifetime = () => ring.redis.pttl(nextUpKey(alice, "episodes"));
});

describe("what happens while it is worked out", () => {
  beforeEach(async () => {
    await turn(finish("e1", 1));
    await ring.refill(alice);
  });

  test.each(["before", "after"] as const)("a turn, %s Postgres was read", async (when) => {
    const { ask } = readerOf({ [when]: () => turn(finish("e2", 2)) });
    expect(await ask()).toEqual([when === "before" ? "e3" : "e2"]);
    expect(await ask()).toEqual(["e3"]);
  });

  test("a turn that has committed, and projects when all is kept", async () => {
    let stored: Awaited<ReturnType<Ring["deps"]["store"]>> | undefined;
    const commit = async () => {
      const events = [{ user_id: alice, event: finish("e2", 2) }];
      stored ??= await ring.deps.store(fold(events), () => events);
    };
    const { ask } = readerOf({ after: commit });
    expect(await ask()).toEqual(["e2"]);
    if (stored) await ring.deps.project(stored);
    expect(await ask()).toEqual(["e3"]);
  });

  test.each(["before", "after"] as const)("a change of the catalogue, %s Postgres was read", async (when) => {
    const { ask } = readerOf({ [when]: () => libraryOf().remove("e2" as ContentId) });
    expect(await ask()).toEqual(when === "before" ? ["e3"] : []);
    expect(await ask()).toEqual(["e3"]);
  });

  test("a change of the catalogue that is told of when all is kept", async () => {
    const { ask } = readerOf({ after: () => put({ ...episode(2), season: 9 }) });
    expect(await ask()).toEqual(["e2"]);
    await catalogueCounter(ring.redis)();
    expect(await ask()).toEqual(["e3"]);
  });

  test("an eviction and a refill, after which the view counts up to the same", async () => {
    const seq = () => ring.redis.hget(historyKeys(alice)[0], "seq");
    const before = await seq();
    const { ask } = readerOf({
      after: async () => {
        await evict(ring.redis, alice);
        await turn(mark("e1", 2, false), finish("e1", 3));
        await turn(forget("e1", 4));
        await ring.refill(alice);
      },
    });
    expect(await ask()).toEqual(["e2"]);
    expect(await seq()).toBe(before);
    expect(await ask()).toEqual([]);
  });

  test("an eviction: what is kept is nobody's", async () => {
    const { ask } = readerOf({ after: () => evict(ring.redis, alice) });
    expect(await ask()).toEqual(["e2"]);
    await turn(finish("e2", 2));
    expect(await ask()).toEqual(["e3"]);
    await ring.refill(alice);
    expect(await ask()).toEqual(["e3"]);
  });
});

describe("without a view", () => {
  test("a cold viewer is answered, stays cold, and nothing is kept", async () => {
    await turn(finish("e1", 1));
    const { ask, logged } = readerOf();
    expect(await ask()).toEqual(["e2"]);
    expect(logged).toEqual([]);
    expect(await ring.redis.keys("wh:*")).toEqual(
      expect.not.arrayContaining([expect.stringContaining("alice")]),
    );
    await turn(finish("e2", 2));
    expect(await ask()).toEqual(["e3"]);
  });

  test("a view that somebody else wrote into is not in the way", async () => {
    await turn(finish("e1", 1));
    await ring.redis.set(historyKeys(alice)[0], "not a hash");
    const { ask, logged } = readerOf();
    expect(await ask()).toEqual(["e2"]);
    expect(logged).toEqual([expect.stringContaining("Redis cannot answer")]);
  });

  test("Redis being away is not in the way, nor for the catalogue", async () => {
    await turn(finish("e1", 1));
    const nowhere = connectRedis("redis://127.0.0.1:1");
    const reader = nextUpReader({
      ...ring,
      contents: contentLookup(ring.db),
      redis: nowhere,
      clock: () => NOW,
    });
    expect(await reader(alice, { kind: "episodes", limit: 20 })).toMatchObject([{ content_id: "e2" }]);
    const catalogueMoved = catalogueCounter(nowhere);
    const library = contentLibrary({ db: ring.db, catalogueMoved, log: ring.log });
    expect(await library.remove("e2" as ContentId)).toBe(true);
    nowhere.disconnect();
  });
});

describe("what is looked at", () => {
  test("what is forgotten does not count, nor do its plays, before they are all emptied", async () => {
    await turn(finish("e1", 1), finish("e2", 2), mark("e4", 3, true), finish("e3", 4));
    await play("e3", 1, at(4) - 100);
    const { ask } = readerOf();
    expect(await ask()).toEqual(["e4"]);
    await ring.db.execute(sql`INSERT INTO history_users (user_id, cleared_at) VALUES (${alice}, ${at(2)})`);
    expect(await ask()).toEqual(["e5"]);
    await ring.db.execute(sql`UPDATE listitems SET deleted_at = ${at(9)} WHERE content_id = 'e4'`);
    expect(await ask()).toEqual(["e4"]);
    await ring.db.execute(sql`UPDATE history_users SET cleared_at = ${at(9)}`);
    expect(await ask()).toEqual([]);
  });

  test("what others watched does not count, nor what stands in another list", async () => {
    await turn(finish("e1", 1), finish("e2", 2), finish("e1", 3, "on another day"));
    await ring.db.execute(sql`UPDATE plays SET user_id = 'bob' WHERE play_id = 'on another day'`);
    await ring.db.execute(sql`
      INSERT INTO listitems (user_id, playlist, content_id, marked, marked_at)
      VALUES ('bob', 'watchhistory', 'e3', true, 1), (${alice}, 'watchlist', 'e3', true, 1)
    `);
    expect(await readerOf().ask()).toEqual(["e3"]);
  });

  test("a play that was forgotten is no earlier one", async () => {
    await turn(finish("e1", 1), finish("e2", 2));
    await play("e1", 0, at(1) - 100);
    await turn(finish("e1", 3, "another"));
    await ring.db.execute(
      sql`UPDATE plays SET started_at = 0 WHERE content_id = 'e1' AND play_id <> 'another'`,
    );
    const { ask } = readerOf();
    expect(await ask()).toEqual(["e3"]);
    await play("e1", 5, at(1));
    expect(await ask()).toEqual(["e2"]);
  });

  test("an episode has a show, a season and a number, wherever it was before", async () => {
    await put(
      { ...episode(2), season: 9, episode: null },
      { ...episode(3), season: null },
      { ...episode(4), show: null },
    );
    await turn(finish("e1", 1), begin("e3", 2));
    const { ask } = readerOf();
    expect(await ask()).toEqual(["e5"]);
    await put({ ...episode(5), show: "Other" }, { ...episode(6), show: "Other" });
    expect(await ask()).toEqual([]);
    await turn(finish("e5", 3), finish("e3", 4), finish("unknown", 5));
    expect(await ask()).toEqual(["e6"]);
    await put({ ...episode(5), show: "Show" }, episode(6));
    expect(await ask()).toEqual(["e6"]);
  });

  test("only matches that are still to come are fixtures, and teams are followed by how much was watched", async () => {
    await put(
      ...[match("a1", -3, ["A", "B"]), match("a2", -2, ["A", "C"]), match("a3", 3, ["A", "Z"])],
      ...[match("b1", 2, ["B", "Y"]), { ...match("b0", 1, ["B", "X"]), kind: "clip" as const }],
      ...[
        match("c1", 4, ["A", "C"]),
        { ...match("c0", 1, ["C", "W"]), released_at: null },
        match("z1", 1, ["Z"]),
      ],
    );
    await turn(finish("a1", 1), finish("a2", 2));
    const reader = readerOf();
    const request = { kind: "sport" as const, limit: 20 };
    const found = await reader.nextUp(alice, request);
    expect(found).toMatchObject([
      { content_id: "a3", team: "A", kind: "match", teams: ["A", "Z"] },
      { content_id: "b1", team: "B" },
      { content_id: "c1", team: "C" },
    ]);
    await turn(mark("a3", 3, true), mark("b1", 3, false));
    expect(await reader.ask(request)).toEqual(["c1", "b1", "z1"]);
  });

  test("ten teams count", async () => {
    const teams = Array.from({ length: 12 }, (_, n) => `T${String(n).padStart(2, "0")}`);
    await put(match("past", -1, teams), ...teams.map((team, n) => match(`m${n}`, n + 1, [team])));
    await turn(finish("past", 1));
    expect(await readerOf().ask({ kind: "sport" })).toEqual(teams.slice(0, 10).map((_, n) => `m${n}`));
  });
});

/** A reader that says only what it lists; something may happen just before or just after it reads Postgres first. */
function readerOf(meanwhile: { before?: () => Promise<unknown>; after?: () => Promise<unknown> } = {}) {
  const clock = { now: NOW };
  let statements = 0;
  let { before, after } = meanwhile;
  const once = async (happens: (() => Promise<unknown>) | undefined) => await happens?.();
  const db = {
    execute: async (query: SQL) => {
      statements++;
      const [first, then] = [before, after];
      before = after = undefined;
      await once(first);
      const rows = await ring.db.execute(query);
      await once(then);
      return rows;
    },
  } as unknown as Database;
  const { redis } = ring;
  const logged: string[] = [];
  const log = createLog("warn", { write: (line) => void logged.push(line) });
  const nextUp = nextUpReader({ db, redis, log, contents: contentLookup(db), clock: () => clock.now });
  async function ask({ kind = "episodes" as NextUpKind, limit = 20 } = {}) {
    return (await nextUp(alice, { kind, limit })).map(({ content_id }) => content_id);
  }
  return { nextUp, ask, clock, logged, statements: () => statements };
}

function libraryOf() {
  const { db, log } = ring;
  return contentLibrary({ db, log, catalogueMoved: catalogueCounter(ring.redis) });
}

type Given = z.input<typeof ContentInput> & { content_id: string };

const listed = ({ content_id, ...its }: Given) => ({
  ...ContentInput.parse(its),
  content_id: content_id as ContentId,
});

/** Into the catalogue, past everybody who would tell. */
async function put(...contents: Given[]): Promise<void> {
  await storeContents(ring.db, contents.map(listed));
}

const episode = (n: number) => ({
  content_id: `e${n}`,
  show: "Show" as string | null,
  season: 1,
  episode: n,
});

const match = (content_id: string, days: number, teams = ["A", "B"]) => ({
  ...{ content_id, kind: "match" as "match" | "clip", teams },
  released_at: NOW + days * DAY,
});

/** Everything is stored and projected, as one turn. */
async function turn(...events: WatchEvent[]): Promise<void> {
  const owned = events.map((event) => ({ user_id: alice, event }));
  await ring.deps.project(await ring.deps.store(fold(owned), () => owned));
}

const at = (order: number) => NOW - 1_000_000 + order;

function finish(content: string, order: number, play_id = `play-${content}`): Heartbeat {
  return {
    ...{ type: "heartbeat", event_id: `${content}-${order}`, occurred_at: at(order) },
    ...{ content_id: content as ContentId, catalog_id: null, playback_time: 2_400, duration: 2_400 },
    ...{ completes: true, play_id, device_id: null },
  };
}

const begin = (content: string, order: number): Heartbeat => ({
  ...finish(content, order),
  ...{ playback_time: 1_000, completes: false },
});

const mark = (content: string, order: number, watched: boolean): WatchEvent => ({
  ...{ type: "mark", event_id: `m-${order}`, occurred_at: at(order) },
  ...{ content_id: content as ContentId, watched },
});

const forget = (content: string, order: number): WatchEvent => ({
  ...{ type: "forget", event_id: `f-${order}`, occurred_at: at(order), content_id: content as ContentId },
});

/** A play as it is stored. */
async function play(content: string, started_at: number, completed_at: number): Promise<void> {
  await ring.db.execute(sql`
    INSERT INTO plays (user_id, content_id, play_id, started_at, completed_at)
    VALUES (${alice}, ${content}, ${`by-hand-${started_at}`}, ${started_at}, ${completed_at})
  `);
}
