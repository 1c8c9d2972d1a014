import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventStream } from "../../db/redis/keys.ts";
import { edgeRedis } from "../../edge/redis.ts";
import { letEdgeIn } from "../support/door.ts";
import { createEdgeWorld, type EdgeWorld } from "../support/edge-world.ts";
import { historyRow } from "../support/rows.ts";
import { until } from "../support/until.ts";

const LIST = "/users/alice/watchhistory";
const START = Date.UTC(2026, 0, 1);

let world: EdgeWorld;
beforeAll(async () => {
  world = await createEdgeWorld();
});
beforeEach(async () => {
  await world.redis.flushall();
  world.ingest.asked.length = 0;
  world.ingest.answer = () => ({ status: 500 });
});
afterAll(() => world.stop());

/** The door is counted from here on. */
function doorCount(): () => number {
  const before = world.door.requests();
  return () => world.door.requests() - before;
}

function contentIds(items: unknown): string[] {
  return (items as { content_id: string }[]).map(({ content_id }) => content_id);
}

describe("a warm history", () => {
  test("is one request to the door: the list, the list that did not change, the item, the missing item", async () => {
    await world.warm("alice", [
      historyRow("alice", "a"),
      historyRow("alice", "b", { watched_at: START + 1 }),
    ]);
    await world.ask(LIST); // Redis learns the script
    await world.ask(`${LIST}/a`);

    let asked = doorCount();
    const list = await world.ask(LIST);
    expect([list.status, asked()]).toEqual([200, 1]);
    expect(await list.json()).toEqual([
      expect.objectContaining({ content_id: "b" }),
      {
        content_id: "a",
        catalog_id: null,
        playback_time: 1_800,
        duration: 5_400,
        resume_position_seconds: 1_800,
        completed: false,
        last_watched_at: "2026-01-01T00:00:00.000Z",
      },
    ]);
    expect(list.headers.get("cache-control")).toBe("private, no-cache");
    expect(list.headers.get("vary")).toBe("Origin, Authorization");

    asked = doorCount();
    const etag = list.headers.get("etag") ?? "";
    const same = await world.ask(LIST, { headers: { "if-none-match": etag } });
    expect([same.status, await same.text(), same.headers.get("etag"), asked()]).toEqual([304, "", etag, 1]);
    expect(same.headers.get("cache-control")).toBe("private, no-cache");

    asked = doorCount();
    const item = await world.ask(`${LIST}/a`);
    expect([item.status, asked()]).toEqual([200, 1]);
    expect(await item.json()).toMatchObject({ content_id: "a", resume_position_seconds: 1_800 });
    expect(item.headers.get("cache-control")).toBe("private, no-store");

    asked = doorCount();
    const missing = await world.ask(`${LIST}/never-watched`);
    expect([missing.status, asked()]).toEqual([404, 1]);
    expect(await missing.json()).toMatchObject({ code: "not_found" });

    expect(world.ingest.asked).toEqual([]);
  });

  test("that is empty is an empty list", async () => {
    await world.warm("alice", []);
    const list = await world.ask(LIST);
    expect([list.status, await list.json()]).toEqual([200, []]);
    expect(list.headers.get("link")).toBeNull();
  });

  test("answers the same under /profiles, to HEAD without a body, and to support", async () => {
    await world.warm("alice", [historyRow("alice", "a")]);
    const list = await (await world.ask(LIST)).json();
    expect(await (await world.ask("/profiles/alice/history")).json()).toEqual(list);
    expect(await (await world.ask(LIST, { as: "sue", token: { roles: ["support"] } })).json()).toEqual(list);

    const head = await world.ask(LIST, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("etag")).toBeTruthy();
    expect(world.ingest.asked).toEqual([]);
  });

  test("a tag answers 304 only for its own version and its own query", async () => {
    await world.warm("alice", [historyRow("alice", "a"), historyRow("alice", "b")]);
    const tag = async (query: string) => (await world.ask(LIST + query)).headers.get("etag") ?? "";
    const status = async (query: string, asked: string) =>
      (await world.ask(LIST + query, { headers: { "if-none-match": asked } })).status;

    const first = await tag("");
    expect(await status("?limit=1", first)).toBe(200);
    expect(await status("?limit=1", await tag("?limit=1"))).toBe(304);
    expect(await status("", `"other", W/${first}`)).toBe(304);
    expect(await status("", "*")).toBe(304);
    expect(await status("", '"nonsense"')).toBe(200);

    await world.warm("alice", [historyRow("alice", "a", { rev: 2, watched_at: START + 5 })]);
    expect(await status("", first)).toBe(200);
    expect(await tag("")).not.toBe(first);
  });

  test("never shows Alice to alice", async () => {
    await world.warm("Alice", [historyRow("Alice", "a")]);
    await world.warm("alice", []);
    expect(await (await world.ask(LIST)).json()).toEqual([]);
    expect((await world.ask("/users/Alice/watchhistory")).status).toBe(403);
  });
});

describe("paging", () => {
  test.each([1, 2, 3, 7, 200])("by %i gives every item once, in order, through ties", async (limit) => {
    const ids = ["a", "A", "b", "B", "1", "11", "z:1", "z.1", "~", "-"];
    const rows = ids.flatMap((id, index) => [
      historyRow("alice", id, { watched_at: START }),
      historyRow("alice", `${id}${id}`, { watched_at: START + (index % 3) }),
    ]);
    const unique = [...new Map(rows.map((row) => [row.content_id, row])).values()];
    await world.warm("alice", unique);
    const expected = unique
      .toSorted((x, y) => y.watched_at - x.watched_at || (x.content_id < y.content_id ? 1 : -1))
      .map(({ content_id }) => content_id);

    const walked: string[] = [];
    let next: string | undefined = `${LIST}?limit=${limit}`;
    while (next !== undefined) {
      const page = await world.ask(next);
      expect(page.status).toBe(200);
      const items = contentIds(await page.json());
      expect(items.length).toBeLessThanOrEqual(limit);
      walked.push(...items);
      next = /^<(.+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
    }
    expect(walked).toEqual(expected);
    expect(world.ingest.asked).toEqual([]);
  });

  test("shows 50 unless told otherwise, and at most 200", async () => {
    const rows = Array.from({ length: 201 }, (_, n) =>
      historyRow("alice", `c${n}`, { watched_at: START + n }),
    );
    await world.warm("alice", rows);
    expect(await (await world.ask(LIST)).json()).toHaveLength(50);
    expect(await (await world.ask(`${LIST}?limit=200`)).json()).toHaveLength(200);
    expect((await world.ask(`${LIST}?limit=201`)).status).toBe(422);
  });

  test("keeps to /profiles when it began there", async () => {
    await world.warm("alice", [historyRow("alice", "a"), historyRow("alice", "b")]);
    const page = await world.ask("/profiles/alice/history?limit=1");
    expect(page.headers.get("link")).toMatch(/^<\/profiles\/alice\/history\?limit=1&cursor=/);
  });
});

describe("what Redis does not know", () => {
  const answer = {
    status: 200,
    headers: {
      "content-type": "application/json",
      link: '</users/alice/watchhistory?cursor=1_a>; rel="next"',
      etag: '"of-ingest"',
      "cache-control": "private, no-cache",
      "set-cookie": "a=b",
      server: "nginx",
    },
    body: '[{"content_id":"from-postgres"}]',
  };

  test("a cold user is answered by ingest, whose answer is passed on", async () => {
    world.ingest.answer = () => answer;
    const list = await world.ask(`${LIST}?limit=7&cursor=5_x`, {
      headers: { "if-none-match": '"mine"', "x-request-id": "r-1", cookie: "secret" },
    });
    expect([list.status, await list.text()]).toEqual([200, answer.body]);
    expect(Object.fromEntries(list.headers)).toMatchObject({
      "content-type": "application/json",
      link: answer.headers.link,
      etag: '"of-ingest"',
      "cache-control": "private, no-cache",
      vary: "Origin, Authorization",
      "x-request-id": "r-1",
    });
    expect(list.headers.get("set-cookie")).toBeNull();
    expect(list.headers.get("server")).toBeNull();

    const [asked, ...more] = world.ingest.asked;
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ method: "GET", path: `${LIST}?limit=7&cursor=5_x` });
    expect(asked?.headers).toMatchObject({ "if-none-match": '"mine"', "x-request-id": "r-1" });
    expect(asked?.headers.authorization).toMatch(/^Bearer /);
    expect(asked?.headers.cookie).toBeUndefined();
  });

  test.each([304, 404, 429, 500, 503])("so is its %i", async (status) => {
    world.ingest.answer = () => ({ status, headers: { "retry-after": "9" } });
    const list = await world.ask(LIST);
    expect([list.status, list.headers.get("retry-after"), await list.text()]).toEqual([status, "9", ""]);
  });

  test("a warming user is cold", async () => {
    world.ingest.answer = () => answer;
    await world.redis.hset("wh:state:{alice}", "epoch", "e1");
    expect(await (await world.ask(LIST)).text()).toBe(answer.body);
    expect(await (await world.ask(`${LIST}/a`)).text()).toBe(answer.body);
  });

  test("pages and items past what Redis holds are asked of ingest, those before are not", async () => {
    world.ingest.answer = () => answer;
    const rows = ["a", "b", "c", "d"].map((id, n) => historyRow("alice", id, { watched_at: START + n }));
    await world.warm("alice", rows.slice(1), { floor: START });

    expect(contentIds(await (await world.ask(`${LIST}?limit=2`)).json())).toEqual(["d", "c"]);
    expect((await world.ask(`${LIST}/b`)).status).toBe(200);
    expect(world.ingest.asked).toHaveLength(0);

    expect(await (await world.ask(`${LIST}?limit=3`)).text()).toBe(answer.body);
    expect(await (await world.ask(`${LIST}/a`)).text()).toBe(answer.body);
    expect(world.ingest.asked).toHaveLength(2);
  });

  test("a view that nobody can read is asked of ingest, not shown", async () => {
    world.ingest.answer = () => answer;
    await world.warm("alice", [historyRow("alice", "a")]);
    await world.redis.hdel("wh:progress:{alice}", "a");
    expect(await (await world.ask(LIST)).text()).toBe(answer.body);
    expect(await (await world.ask(`${LIST}/a`)).text()).toBe(answer.body);
    await world.redis.set("wh:order:{alice}", "not a sorted set");
    expect(await (await world.ask(LIST)).text()).toBe(answer.body);
  });
});

describe("the bad day", () => {
  test("both away: 503 with Retry-After, never an empty list", async () => {
    await world.ingest.stop();
    try {
      for (const path of [LIST, `${LIST}/a`, "/profiles/alice/history"]) {
        const answer = await world.ask(path); // cold, too
        expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
        expect(await answer.json()).toMatchObject({ code: "unavailable", status: 503 });
      }
    } finally {
      await world.ingest.start();
    }
  });

  test.each([502, 504])("ingest behind a proxy that says %i is away", async (status) => {
    world.ingest.answer = () => ({ status, body: "<html>bad gateway</html>" });
    const list = await world.ask(LIST);
    expect([list.status, list.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
  });

  test("ingest that never answers is given up at the deadline", async () => {
    world.ingest.answer = () => "nothing";
    const deadlines = { readMs: 50, writeMs: 50, healthMs: 50 };
    const list = await world.ask(LIST, { replaced: { settings: { ...world.deps.settings, deadlines } } });
    expect(list.status).toBe(503);
  });

  test("a door that never answers is given up at the deadline, and is not an answer", async () => {
    world.ingest.answer = () => "nothing";
    const silent = edgeRedis({ url: world.ingest.url, token: "t", deadlineMs: 50 });
    await expect(
      silent.readHistory("alice" as never, { limit: 1, after: null, filter: null }, ""),
    ).rejects.toMatchObject({
      name: "RedisFailed",
      message: "TimeoutError",
    });
    expect(world.ingest.asked).toHaveLength(1); // sent once
  });

  test("what may have reached Redis is never sent again", async () => {
    world.ingest.answer = () => "hangs up";
    const losing = edgeRedis({ url: world.ingest.url, token: "t" });
    await expect(losing.ping()).rejects.toMatchObject({ name: "RedisFailed" });
    expect(world.ingest.asked).toHaveLength(1);
  });

  test("Redis killed: ingest answers; Redis back: Redis answers", async () => {
    await world.warm("alice", [historyRow("alice", "a")]);
    world.ingest.answer = () => ({ status: 200, body: '["from ingest"]' });
    await world.server.kill();
    expect(await (await world.ask(LIST)).text()).toBe('["from ingest"]');
    expect(await (await world.ask(`${LIST}/a`)).text()).toBe('["from ingest"]');
    expect(world.logged.join()).not.toMatch(/evalsha|wh:|Bearer/i);

    const ready = await world.ask("/ready");
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: "degraded", redis: false, ingest: true },
    ]);
    await world.ingest.stop();
    const neither = await world.ask("/ready");
    expect(neither.status).toBe(503);
    expect(await neither.json()).toMatchObject({ code: "unavailable", redis: false, ingest: false });
    await world.ingest.start();

    world.server = await world.server.restart();
    await letEdgeIn(world.server);
    await until(async () => /"redis":true/.test(await (await world.ask("/ready")).text()));
    await until(async () => contentIds(await (await world.ask(LIST)).json())[0] === "a");
  });

  test("the edge's user may do nothing but what the edge does", async () => {
    const { door } = world;
    const command = async (...args: string[]) => {
      const init = {
        method: "POST",
        body: JSON.stringify(args),
        headers: { authorization: "Bearer the-token-of-the-door" },
      };
      return await (await fetch(door.url, init)).text();
    };
    expect(await command("SET", "wh:state:{alice}", "x")).toMatch(/^\{"error":"NOPERM/);
    expect(await command("XRANGE", eventStream, "-", "+")).toMatch(/^\{"error":"NOPERM/);
    expect(await command("KEYS", "*")).toMatch(/^\{"error":"NOPERM/);
  });
});
