import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { MODELS, type ModelName } from "../../db/redis/index/model.ts";
import { fold } from "../../ingest/drain/fold.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { project } from "../../ingest/views/project.ts";
import { historyReader } from "../../ingest/views/read.ts";
import { refiller } from "../../ingest/views/refill.ts";
import { askedOf } from "../support/indexed.ts";
import { createRing, type Ring, readView } from "../support/ring.ts";
import { filterWith } from "../support/rows.ts";

const alice = "alice" as UserId;
const pairs = MODELS.flatMap((from) => MODELS.filter((to) => to !== from).map((to) => [from, to] as const));

let ring: Ring;
beforeAll(async () => {
  ring = await createRing();
  await ring.db.execute(
    sql`INSERT INTO contents (content_id, sport, teams) VALUES ('a', 'cricket', '{India}'), ('b', 'darts', '{}')`,
  );
});
beforeEach(async () => {
  await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
  await ring.emptyRedis();
});
afterAll(() => ring.stop());

/** An ingest that goes by this model. */
function ingestOf(model: ModelName) {
  const index = historyIndexOn(ring.redis, model, ring.log);
  const deps = { ...ring.viewDeps, index };
  const refill = refiller(deps);
  return {
    ...askedOf(deps),
    refill,
    read: historyReader({ ...deps, refill }),
    watch: async (...ids: string[]) => {
      const events = ids.map((id, n) => ({ user_id: alice, event: heartbeat(id, n) }));
      const stored = await ring.deps.store(fold(events));
      await project(deps, stored);
    },
  };
}

describe.each(pairs)("views of %s, when %s is in use by now", (from, to) => {
  async function warmBefore() {
    const [before, after] = [ingestOf(from), ingestOf(to)];
    await before.watch("a", "b", "unknown");
    await before.refill(alice);
    expect(await before.found("alice", { sport: "cricket" })).toEqual(["a"]);
    return { before, after };
  }
  const keys = () => ring.redis.keys("*alice*");

  test("are told apart, and never searched in the wrong place", async () => {
    const { after } = await warmBefore();
    const other = { state: "other", making: expect.stringMatching(new RegExp(`^${from}(:.+)?$`)) };
    expect(await after.search("alice", { sport: "cricket" })).toEqual(other);
    expect(await after.search("alice", null)).toEqual(other);
    expect(await after.facets("alice", "sport")).toEqual(other);
    // The plain list needs no index.
    expect(await readView(ring.redis, alice)).toHaveLength(3);
  });

  test("become cold with the next turn, and leave nothing behind", async () => {
    const { before, after } = await warmBefore();
    await after.watch("a");
    expect(await readView(ring.redis, alice)).toBe("cold");
    expect(await after.found("alice", { sport: "cricket" })).toBe("cold");
    expect(await keys()).toEqual([]);

    await after.refill(alice);
    expect(await after.found("alice", { sport: "cricket", team: ["India"] })).toEqual(["a"]);
    expect(await after.facets("alice", "sport")).toMatchObject({
      found: [{ value: "cricket" }, { value: "darts" }],
    });
    expect(await before.search("alice", { sport: "cricket" })).toMatchObject({ state: "other" });
  });

  test("are made anew by the next read, which is answered right the first time", async () => {
    const { after } = await warmBefore();
    const records = (await keys()).filter((key) => /^wh:(record|term|json):/.test(key));
    const request = { limit: 10, after: null, filter: filterWith({ sport: "cricket" }) };
    const first = await after.read.narrowed(alice, request);
    expect(first.map(({ progress, record }) => [progress.content_id, record?.teams])).toEqual([
      ["a", ["India"]],
    ]);
    expect(await after.found("alice", { sport: "cricket" })).toEqual(["a"]);
    expect((await keys()).filter((key) => records.includes(key))).toEqual([]);
  });

  test("two ingests that disagree answer right all the same, whoever is asked", async () => {
    const { before, after } = await warmBefore();
    const request = { limit: 10, after: null, filter: filterWith({ sport: "cricket" }) };
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([before, after].map(({ read }) => read.narrowed(alice, request)));
      for (const found of answers) expect(found.map(({ progress }) => progress.content_id)).toEqual(["a"]);
      const facets = await Promise.all(
        [before, after].map(({ read }) => read.facets(alice, { by: "sport", filter: null })),
      );
      for (const found of facets) expect(found.map(({ value }) => value)).toEqual(["cricket", "darts"]);
      await Promise.all([before.watch("a"), after.watch("b")]);
    }
  });
});

function heartbeat(content_id: string, n: number) {
  return {
    ...{ type: "heartbeat" as const, event_id: `e${n}`, occurred_at: Date.now() + n },
    ...{ content_id: content_id as ContentId, catalog_id: null, playback_time: 60, duration: 3_600 },
    ...{ completes: false, play_id: null, device_id: null },
  };
}
