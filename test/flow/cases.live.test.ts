import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { HistoryItem } from "../../db/contract/views.ts";
import { deadStream, eventStream, historyKeys } from "../../db/redis/keys.ts";
import { eventStreamOn } from "../../ingest/stream.ts";
import { evict } from "../../ingest/views/evict.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** The cases that other systems get wrong, each by its number in the design, through the edge, on real stores. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await world.stop();
});

const HOUR = 3_600_000;
const now = Date.now();
let viewers = 0;
/** A viewer whom no other test knows. */
const someone = () => `viewer-${++viewers}`;

function beat(
  content_id: string,
  playback_time: number,
  secondsAgo: number,
  more: Record<string, unknown> = {},
) {
  return { content_id, playback_time, duration: 3600, occurred_at: now - secondsAgo * 1000, ...more };
}

async function only(as: string): Promise<HistoryItem> {
  const items = await world.history(as);
  expect(items).toHaveLength(1);
  return items[0] as HistoryItem;
}

describe("case 1: out of order", () => {
  test("the older event is a no-op when it arrives later, in the same batch or in another", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 600, 10));
    await world.watched(viewer, beat("m", 500, 20));
    expect((await only(viewer)).playback_time).toBe(600);
    await world.watched(viewer, beat("m", 700, 5), beat("m", 650, 7));
    expect((await only(viewer)).playback_time).toBe(700);
  });
});

describe("case 2: backward seek", () => {
  test("a newer event with a lower position wins", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 1800, 20));
    await world.watched(viewer, beat("m", 60, 10, { action: "seek" }));
    expect(await only(viewer)).toMatchObject({ playback_time: 60, resume_position_seconds: 60 });
  });
});

describe("case 3: duplicate", () => {
  test("the same event again changes nothing, not even the version of the view", async () => {
    const viewer = someone();
    const event = beat("m", 600, 10, { event_id: "the-same" });
    await world.watched(viewer, event);
    await world.history(viewer);
    const before = await stateOf(viewer);
    await world.watched(viewer, event);
    await world.watched(viewer, event, event);
    expect(await stateOf(viewer)).toEqual(before);
  });

  async function stateOf(viewer: string) {
    const rows = await world.db.execute(sql`SELECT * FROM listitems WHERE user_id = ${viewer}`);
    const response = await world.ask(`/users/${viewer}/watchhistory`, { as: viewer });
    return { rows: [...rows], tag: response.headers.get("etag"), body: await response.json() };
  }
});

describe("case 4: clock skew", () => {
  test("sent_at corrects a device clock that is an hour slow, and one that is a year fast", async () => {
    const viewer = someone();
    const slow = Date.now() - HOUR;
    const response = await world.send(viewer, {
      sent_at: slow,
      events: [{ content_id: "slow", playback_time: 60, duration: 3600, occurred_at: slow - 5_000 }],
    });
    expect(response.status).toBe(202);
    const fast = Date.now() + 365 * 24 * HOUR;
    await world.send(viewer, {
      sent_at: new Date(fast).toISOString(),
      events: [{ content_id: "fast", playback_time: 60, duration: 3600, occurred_at: fast - 60_000 }],
    });
    await world.drained();
    const stamps = new Map(
      (await world.history(viewer)).map((item) => [item.content_id, Date.parse(item.last_watched_at)]),
    );
    expect(Math.abs((stamps.get("slow" as ContentId) ?? 0) - (Date.now() - 5_000))).toBeLessThan(5_000);
    expect(Math.abs((stamps.get("fast" as ContentId) ?? 0) - (Date.now() - 60_000))).toBeLessThan(5_000);
  });

  test("no stamp is later than its arrival: a wrong year pins nothing, and does not survive a clear", async () => {
    const viewer = someone();
    await world.watched(viewer, {
      content_id: "future",
      playback_time: 60,
      occurred_at: now + 365 * 24 * HOUR,
    });
    expect(Date.parse((await only(viewer)).last_watched_at)).toBeLessThanOrEqual(Date.now());
    expect((await world.ask(`/users/${viewer}/watchhistory`, { as: viewer, method: "DELETE" })).status).toBe(
      204,
    );
    expect(await world.history(viewer)).toEqual([]);
  });

  test("less than 30 s is latency and is left alone", async () => {
    const viewer = someone();
    const sent_at = Date.now() - 20_000;
    await world.watched(viewer, {
      content_id: "m",
      playback_time: 60,
      occurred_at: sent_at - 5_000,
      sent_at,
    });
    expect(Date.parse((await only(viewer)).last_watched_at)).toBe(sent_at - 5_000);
  });

  test("an event older than EVENT_MAX_AGE is rejected, not silently stale", async () => {
    const response = await world.send(someone(), beat("m", 60, 401 * 24 * 3600));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "invalid_input", errors: [{ path: "occurred_at" }] });
  });
});

describe("case 5: two devices", () => {
  test("the newer event wins, whichever device it is from", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 600, 30, { device_id: "tv" }));
    await world.watched(viewer, beat("m", 100, 20, { device_id: "phone" }));
    expect((await only(viewer)).playback_time).toBe(100);
    await world.watched(viewer, beat("m", 630, 10, { device_id: "tv" }));
    expect((await only(viewer)).playback_time).toBe(630);
  });
});

describe("case 6: an offline device comes back", () => {
  test("its older events do not undo the newer state, and what only it saw is added", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 3000, 10));
    await world.watched(viewer, beat("m", 100, 3000), beat("m", 110, 2990), beat("plane", 900, 2000));
    const items = await world.history(viewer);
    expect(items.map((item) => [item.content_id, item.playback_time])).toEqual([
      ["m", 3000],
      ["plane", 900],
    ]);
  });
});

describe("case 8: a delete races a late heartbeat", () => {
  test("it stays deleted, in the stream and in a batch; a newer heartbeat starts clean", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 3500, 60, { action: "finish" }));
    expect((await forget(viewer, "m")).status).toBe(204);
    expect(await world.history(viewer)).toEqual([]);

    await world.watched(viewer, beat("m", 3550, 30));
    await world.watched(viewer, beat("other", 60, 20), beat("m", 3560, 20));
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["other"]);
    expect((await world.ask(`/users/${viewer}/watchhistory/m`, { as: viewer })).status).toBe(404);

    await world.watched(viewer, { content_id: "m", playback_time: 90 });
    expect((await world.history(viewer))[0]).toMatchObject({
      content_id: "m",
      playback_time: 90,
      duration: null,
      completed: false,
    });
  });

  test("it stays deleted when the view is made anew from Postgres", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 600, 60));
    await forget(viewer, "m");
    await world.watched(viewer, beat("m", 610, 50));
    await evict(world.redis, viewer as UserId);
    expect(await world.history(viewer)).toEqual([]);
  });

  const forget = (viewer: string, content: string) =>
    world.ask(`/users/${viewer}/watchhistory/${content}`, { as: viewer, method: "DELETE" });
});

describe("case 9: clear-all while playing", () => {
  test("the running session re-creates its own item only with a newer event", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 600, 60), beat("n", 60, 90));
    const cleared = await world.ask(`/users/${viewer}/watchhistory`, { as: viewer, method: "DELETE" });
    expect(cleared.status).toBe(204);
    expect(await world.history(viewer)).toEqual([]);

    await world.watched(viewer, beat("m", 610, 50));
    expect(await world.history(viewer)).toEqual([]);
    await world.watched(viewer, { content_id: "m", playback_time: 620, duration: 3600 });
    expect((await only(viewer)).content_id).toBe("m");
  });

  test("clearing before a time keeps what was watched since", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("old", 600, 3600), beat("new", 60, 10));
    const before = new Date(now - 60_000).toISOString();
    const path = `/users/${viewer}/watchhistory?before=${encodeURIComponent(before)}`;
    expect((await world.ask(path, { as: viewer, method: "DELETE" })).status).toBe(204);
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["new"]);
    await world.watched(viewer, beat("old", 700, 1800), beat("older", 1, 70));
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["new"]);
  });

  test("a clear whose time is misspelt clears nothing", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 60, 10));
    const path = `/users/${viewer}/watchhistory?Before=2020-01-01T00:00:00Z`;
    expect((await world.ask(path, { as: viewer, method: "DELETE" })).status).toBe(422);
    expect(await world.history(viewer)).toHaveLength(1);
  });

  test("a clear of more items than one script takes leaves none", async () => {
    const viewer = someone();
    const events = Array.from({ length: 1_200 }, (_, n) => beat(`c${n}`, 60, 100 + n));
    for (let at = 0; at < events.length; at += 400)
      await world.watched(viewer, ...events.slice(at, at + 400));
    expect(await world.history(viewer, "?limit=200")).toHaveLength(200);
    await world.ask(`/users/${viewer}/watchhistory`, { as: viewer, method: "DELETE" });
    expect(await world.history(viewer)).toEqual([]);
    const [, order, progress] = historyKeys(viewer as UserId);
    expect(await world.redis.exists(order, progress)).toBe(0);
    expect(await world.redis.keys(`wh:record:{${viewer}}:*`)).toEqual([]);
  });
});

describe("case 13: duration 0, unknown or changed", () => {
  test("unknown is not finished and has no resume position; a known one is not erased", async () => {
    const viewer = someone();
    await world.watched(viewer, {
      content_id: "m",
      playback_time: 600,
      duration: 0,
      occurred_at: now - 30_000,
    });
    expect(await only(viewer)).toMatchObject({
      duration: null,
      completed: false,
      resume_position_seconds: null,
    });
    await world.watched(viewer, beat("m", 610, 20));
    expect(await only(viewer)).toMatchObject({ duration: 3600, resume_position_seconds: 610 });
    await world.watched(viewer, { content_id: "m", playback_time: 620, occurred_at: now - 10_000 });
    expect(await only(viewer)).toMatchObject({
      playback_time: 620,
      duration: 3600,
      resume_position_seconds: 620,
    });
    await world.watched(viewer, beat("m", 630, 5, { duration: 640 }));
    expect(await only(viewer)).toMatchObject({
      duration: 640,
      completed: true,
      resume_position_seconds: null,
    });
  });

  test("a position above the duration is kept as sent, and is finished", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 4000, 10));
    expect(await only(viewer)).toMatchObject({ playback_time: 4000, duration: 3600, completed: true });
  });
});

describe("case 15: garbage", () => {
  const garbage: [string, Record<string, unknown>, string][] = [
    ["a position that is not a number", beat("m", null as never, 1), "playback_time"],
    ["a negative position", beat("m", -1, 1), "playback_time"],
    ["a position beyond reason", beat("m", 1e12, 1), "playback_time"],
    ["a position as text", beat("m", "60" as never, 1), "playback_time"],
    ["no position", { content_id: "m" }, "playback_time"],
    ["no content", { playback_time: 1 }, "content_id"],
    ["an id with a brace", beat("a}b", 1, 1), "content_id"],
    ["an id that is too long", beat("a".repeat(129), 1, 1), "content_id"],
    ["a time that is none", { ...beat("m", 1, 1), occurred_at: "yesterday" }, "occurred_at"],
    ["a negative duration", beat("m", 1, 1, { duration: -5 }), "duration"],
    ["an unknown action", beat("m", 1, 1, { action: "dance" }), "action"],
  ];
  for (const [what, body, path] of garbage) {
    test(`${what}: 422 with the field's path, nothing stored`, async () => {
      const viewer = someone();
      const response = await world.send(viewer, body);
      expect(response.status).toBe(422);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      const { errors } = (await response.json()) as { errors: { path: string }[] };
      expect(errors.map((error) => error.path)).toContain(path);
      expect(await world.redis.xlen(eventStream)).toBe(0);
      expect(await world.history(viewer)).toEqual([]);
    });
  }

  test("a valid 0 is accepted", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("m", 0, 1));
    expect((await only(viewer)).playback_time).toBe(0);
  });
});

describe("case 16: ids that look alike", () => {
  test("are never mixed up", async () => {
    for (const viewer of ["sue", "Sue", "sue:1", "sue:1:2", "1", "11"]) {
      await world.watched(viewer, beat("1", viewer.length, 10), beat("11", 100 + viewer.length, 5));
    }
    for (const viewer of ["sue", "Sue", "sue:1", "sue:1:2", "1", "11"]) {
      expect((await world.history(viewer)).map((item) => [item.content_id, item.playback_time])).toEqual([
        ["11", 100 + viewer.length],
        ["1", viewer.length],
      ]);
    }
    await world.ask("/users/sue/watchhistory", { as: "sue", method: "DELETE" });
    expect(await world.history("Sue")).toHaveLength(2);
    await world.ask("/users/sue:1/watchhistory/1", { as: "sue:1", method: "DELETE" });
    expect((await world.history("sue:1")).map((item) => item.content_id)).toEqual(["11"]);
    expect(await world.history("sue:1:2")).toHaveLength(2);
  });
});

describe("case 17: a bad event in a batch", () => {
  test("does not sink the others", async () => {
    const viewer = someone();
    const response = await world.send(viewer, {
      events: [beat("a", 60, 3, { event_id: "first" }), beat("b", -1, 2), "nonsense", beat("c", 60, 1)],
    });
    expect(response.status).toBe(202);
    const { results } = (await response.json()) as { results: Record<string, unknown>[] };
    expect(results.map((result) => result.status)).toEqual(["accepted", "rejected", "rejected", "accepted"]);
    expect(results[0]).toMatchObject({ event_id: "first" });
    expect(results[1]).toMatchObject({ errors: [{ path: "events.1.playback_time" }] });
    await world.drained();
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["c", "a"]);
  });
});

describe("case 18: paging while the list moves", () => {
  test("items that did not move come exactly once", async () => {
    const viewer = someone();
    // Many at the same instant: the order among them is by content_id.
    const events = Array.from({ length: 60 }, (_, n) => beat(`c${n}`, 60, 1000 + Math.floor(n / 7)));
    await world.watched(viewer, ...events);
    const seen: string[] = [];
    let path: string | null = `/users/${viewer}/watchhistory?limit=7`;
    for (let page = 0; path !== null; page++) {
      const response = await world.ask(path, { as: viewer });
      for (const item of (await response.json()) as HistoryItem[]) seen.push(item.content_id);
      path = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1] ?? null;
      // One item moves to the top after each page.
      await world.watched(viewer, beat(`c${59 - page}`, 120, 900 - page));
    }
    const moved = new Set(Array.from({ length: 9 }, (_, page) => `c${59 - page}`));
    const still = events.map((event) => event.content_id as string).filter((id) => !moved.has(id));
    expect(seen.filter((id) => !moved.has(id)).sort()).toEqual(still.sort());
  });

  test("pages go on beyond what Redis holds", async () => {
    const small = await createWorld({ HISTORY_LIMIT: "20" });
    try {
      const viewer = someone();
      const events = Array.from({ length: 75 }, (_, n) => beat(`c${n}`, 60, 100 + Math.floor(n / 4)));
      await small.watched(viewer, ...events);
      for (let round = 0; round < 2; round++) {
        const seen: HistoryItem[] = [];
        let path: string | null = `/users/${viewer}/watchhistory?limit=8`;
        while (path !== null) {
          const response = await small.ask(path, { as: viewer });
          seen.push(...((await response.json()) as HistoryItem[]));
          path = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1] ?? null;
        }
        expect(seen).toHaveLength(75);
        expect(new Set(seen.map((item) => item.content_id)).size).toBe(75);
        const order = seen.map((item) => `${item.last_watched_at} ${item.content_id}`);
        expect(order).toEqual(order.toSorted().toReversed());
        // The second time round the view was kept by turns, not made by a refill.
        await small.watched(viewer, beat("c0", 90, 50), beat("c74", 90, 49));
        const moved = ["c74", "c0"];
        expect((await small.history(viewer, "?limit=2")).map((item) => item.content_id)).toEqual(moved);
      }
      expect((await small.ask(`/users/${viewer}/watchhistory/c70`, { as: viewer })).status).toBe(200);
    } finally {
      await small.stop();
    }
  });
});

describe("case 19: cold, evicted, half-written views", () => {
  test("are refilled from Postgres; an empty list is never a fact while the cache is cold", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 60, 2), beat("b", 60, 1));
    const [state, order, progress] = historyKeys(viewer as UserId);
    for (const lost of [
      () => evict(world.redis, viewer as UserId),
      () => world.redis.flushdb(),
      // A refill that never came to its end.
      () => world.redis.hdel(state, "warm"),
    ]) {
      await world.history(viewer);
      expect(await world.redis.exists(order, progress)).toBe(2);
      await lost();
      expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["b", "a"]);
      expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["b", "a"]);
    }
  });

  test("a view that Redis cannot read is evicted by the next turn", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 60, 20));
    await world.history(viewer);
    const [, order] = historyKeys(viewer as UserId);
    await world.redis.set(order, "not a list");
    await world.watched(viewer, beat("b", 60, 10));
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["b", "a"]);
  });

  test("a view that Redis cannot read is made anew by the next read", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 60, 20));
    await world.history(viewer);
    await world.redis.set(historyKeys(viewer as UserId)[0], "not a state");
    for (let read = 0; read < 3; read++) {
      expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["a"]);
    }
    expect(await world.redis.hget(historyKeys(viewer as UserId)[0], "warm")).toBe("1");
  });

  test("100 reads of a cold user that arrive together load Postgres once", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 60, 2), beat("b", 60, 1));
    await evict(world.redis, viewer as UserId);
    let reads: Promise<HistoryItem[][]> | undefined;
    // Nobody gets at the table until all 100 have asked: then as many wait for it as would have loaded.
    await world.db.transaction(async (holder) => {
      await holder.execute(sql`LOCK TABLE listitems IN ACCESS EXCLUSIVE MODE`);
      const asked = (await scriptsRead()) + 200;
      reads = Promise.all(Array.from({ length: 100 }, () => world.history(viewer)));
      await until(async () => (await scriptsRead()) >= asked, {
        what: "100 looks by the edge and by ingest",
      });
      await until(async () => (await waiting()) > 0, { what: "a load" });
      expect(await waiting()).toBe(1);
    });
    for (const list of (await reads) ?? []) expect(list.map((item) => item.content_id)).toEqual(["b", "a"]);
    expect(await world.redis.hget(historyKeys(viewer as UserId)[0], "warm")).toBe("1");
  });

  async function scriptsRead(): Promise<number> {
    const stats = await world.redis.info("commandstats");
    return Number(/cmdstat_evalsha_ro:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  async function waiting(): Promise<number> {
    const locks = await world.db.execute(
      sql`SELECT 1 FROM pg_locks WHERE relation = 'listitems'::regclass AND NOT granted`,
    );
    return locks.length;
  }
});

describe("case 25: all views lost", () => {
  test("a FLUSHALL takes no history: the group is made again, and reads refill", async () => {
    const viewer = someone();
    await world.watched(viewer, beat("a", 60, 20));
    await world.redis.flushall();
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["a"]);
    await world.watched(viewer, beat("b", 60, 10));
    expect((await world.history(viewer)).map((item) => item.content_id)).toEqual(["b", "a"]);
  });
});

describe("case 29: poison", () => {
  test("is set aside alone with its reason; its neighbours are stored; it can be replayed", async () => {
    const viewer = someone();
    await world.db.execute(
      sql`ALTER TABLE listitems ADD CONSTRAINT no_poison CHECK (content_id <> 'poison')`,
    );
    const neighbours = Array.from({ length: 20 }, (_, n) => beat(`n${n}`, 60, n + 1));
    await world.watched(viewer, ...neighbours.slice(0, 7), beat("poison", 60, 1), ...neighbours.slice(7));
    await world.redis.xadd(eventStream, "*", "entry", "{not an entry", "events", "1");
    await world.redis.xadd(eventStream, "*", "entry", '{"v":1,"user_id":"x","events":[]}', "events", "1");
    await world.drained();
    expect(await world.history(viewer, "?limit=100")).toHaveLength(20);

    const dead = await until(async () => {
      const entries = await world.redis.xrange(deadStream, "-", "+");
      return entries.length === 3 ? entries : null;
    });
    const reasons = dead.map(([, fields]) => fields[5]);
    expect(reasons[0]).toContain("no_poison");
    expect(reasons[1]).toBe("not JSON");
    expect(reasons[2]).toContain("not an entry");

    await world.db.execute(sql`ALTER TABLE listitems DROP CONSTRAINT no_poison`);
    const service = eventStreamOn(world.redis, world.redis, {
      consumer: "operator",
      replicas: 0,
    });
    expect(await service.replay(dead[0]?.[0] ?? "")).toBe(true);
    expect(await service.replay(dead[0]?.[0] ?? "")).toBe(false);
    await world.drained();
    expect((await world.history(viewer, "?limit=100")).map((item) => item.content_id)).toContain("poison");
    expect(await service.drop(dead[1]?.[0] ?? "")).toBe(true);
    expect(await service.quarantined(10)).toHaveLength(1);
  });
});
