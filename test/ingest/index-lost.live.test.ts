import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { searchIndex, searchIndexMaking } from "../../db/redis/keys.ts";
import { fold } from "../../ingest/drain/fold.ts";
import { evict } from "../../ingest/views/evict.ts";
import { historyIndexOn, isIndexLost } from "../../ingest/views/history-index.ts";
import { project } from "../../ingest/views/project.ts";
import { historyReader } from "../../ingest/views/read.ts";
import { refiller } from "../../ingest/views/refill.ts";
import { askedOf, contentIds } from "../support/indexed.ts";
import { createRing, type Ring } from "../support/ring.ts";
import { filterWith } from "../support/rows.ts";

/** The search index of `redisearch` goes away in every way there is, while users are warm. */

const alice = "alice" as UserId;
const request = { limit: 10, after: null, filter: filterWith({ sport: "cricket" }) };

let ring: Ring;
beforeAll(async () => {
  ring = await createRing({ model: "redisearch" });
  await ring.db.execute(
    sql`INSERT INTO contents (content_id, sport) VALUES ('a', 'cricket'), ('b', 'cricket'), ('c', 'darts')`,
  );
});
beforeEach(async () => {
  await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
  await ring.emptyRedis();
});
afterAll(() => ring.stop());

/** An ingest, started now. */
function newIngest() {
  const index = historyIndexOn(ring.redis, "redisearch", ring.log);
  const deps = { ...ring.viewDeps, index };
  const refill = refiller(deps);
  return { index, deps, refill, ...askedOf(deps), read: historyReader({ ...deps, refill }) };
}
type Ingest = ReturnType<typeof newIngest>;

async function watch({ deps }: Ingest, user: string, ...ids: string[]) {
  const events = ids.map((id) => ({ user_id: user as UserId, event: heartbeat(id) }));
  await project(deps, await ring.deps.store(fold(events)));
}

async function warmed() {
  const ingest = newIngest();
  await watch(ingest, "alice", "a", "c");
  await watch(ingest, "bob", "b");
  for (const user of ["alice", "bob"]) await ingest.refill(user as UserId);
  expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
  return ingest;
}
const making = () => ring.redis.get(searchIndexMaking);
const drop = (...how: string[]) => ring.redis.call("FT.DROP", searchIndex, ...how);

/** Every way to lose it, and what it costs to have lost it. */
const LOSSES: [name: string, lose: () => Promise<unknown>][] = [
  ["the index dropped", () => drop("KEEPDOCS")],
  ["the index dropped with its records", () => drop()],
  ["the index and the name of its making gone", () => drop().then(() => ring.redis.del(searchIndexMaking))],
  ["the name of its making gone", () => ring.redis.del(searchIndexMaking)],
  ["another making's name", () => ring.redis.set(searchIndexMaking, "another")],
  ["FLUSHALL", () => ring.redis.flushall()],
];

describe.each(LOSSES)("after %s", (_, lose) => {
  test("nobody is told of an empty list: a search fails, or says that it cannot know", async () => {
    const ingest = await warmed();
    await lose();
    const asked = [
      () => ingest.search("alice", { sport: "cricket" }),
      () => ingest.facets("alice", "sport", { sport: "cricket" }),
      () => ingest.facets("alice", "sport"),
      () => ingest.search("alice", { asset_id: contentIds("a") }),
    ];
    for (const ask of asked) {
      const seen = await ask().catch((error: Error) => {
        expect(isIndexLost(error)).toBe(true);
        return { state: "lost" };
      });
      if (seen.state === "page") expect(seen).toMatchObject({ found: [{ record: { sport: "cricket" } }] });
      else if (seen.state === "facets") expect(seen).toMatchObject({ found: [{ count: 1 }, { count: 1 }] });
      else expect(["lost", "cold", "other"]).toContain(seen.state);
    }
  });

  test("a read is answered right the first time, and heals it", async () => {
    const ingest = await warmed();
    await lose();
    const first = await ingest.read.narrowed(alice, request);
    expect(first.map(({ progress }) => progress.content_id)).toEqual(["a"]);
    // The first read may have had enough of Postgres; the next makes the index anew.
    await ingest.read.narrowed(alice, request);
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
    expect(await ingest.facets("alice", "sport")).toMatchObject({ found: [{ count: 1 }, { count: 1 }] });
  });

  test("one refill of somebody cold is enough", async () => {
    const ingest = await warmed();
    await evict(ring.redis, alice);
    await lose();
    await ingest.refill(alice);
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
  });

  test("a turn goes through, at the second attempt at the latest, and the next read is whole", async () => {
    const ingest = await warmed();
    await lose();
    const turn = () => watch(ingest, "alice", "b", "a");
    await turn().catch((error: Error) => {
      expect(isIndexLost(error)).toBe(true);
      return turn();
    });
    for (let n = 0; n < 2; n++) {
      const found = await ingest.read.narrowed(alice, request);
      expect(found.map(({ progress }) => progress.content_id)).toEqual(["b", "a"]);
    }
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["b", "a"]);
  });

  test("an ingest that starts then makes another one, and everybody is refilled into it", async () => {
    const before = await warmed();
    const old = await making();
    await lose();
    const ingest = newIngest();
    await ingest.index.current();
    if ((await making()) === "another") return; // whose making that is, nobody can tell
    expect([old, null]).not.toContain(await making());
    for (const user of ["alice", "bob"]) {
      const seen = await ingest.search(user, { sport: "cricket" });
      expect(["cold", "other"]).toContain(seen.state);
      await ingest.refill(user as UserId);
    }
    expect(await ingest.found("alice", { sport: "cricket" })).toEqual(["a"]);
    expect(await ingest.found("bob", { sport: "cricket" })).toEqual(["b"]);
    // The ingest that was there before goes on with it.
    expect(await before.found("alice", { sport: "cricket" })).toEqual(["a"]);
    await watch(before, "bob", "a");
    expect(await ingest.found("bob", { sport: "cricket" })).toEqual(["a", "b"]);
  });

  test("nothing is left of who is evicted then, also when a turn failed in between", async () => {
    const ingest = await warmed();
    await lose();
    await watch(ingest, "alice", "b").catch(() => {});
    await evict(ring.redis, alice);
    expect(await ring.redis.keys("*alice*")).toEqual([]);
  });
});

function heartbeat(content_id: string) {
  return {
    ...{ type: "heartbeat" as const, event_id: content_id, occurred_at: Date.now() },
    ...{ content_id: content_id as ContentId, catalog_id: null, playback_time: 60, duration: 3_600 },
    ...{ completes: false, play_id: null, device_id: null },
  };
}
