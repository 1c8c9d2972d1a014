import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DIMENSIONS, type HistoryFilter } from "../../db/contract/dimensions.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { recordView } from "../../db/redis/records.ts";
import {
  commandCounts,
  contentIds,
  createIndexed,
  type Indexed,
  recordedOf,
  recordsIn,
} from "../support/indexed.ts";
import { readView } from "../support/ring.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const START = Date.UTC(2026, 0, 1);
const FINAL = contentOf("final", {
  ...{ title: "The final", sport: "cricket", series: "World Cup 2026", teams: ["India", "England"] },
  ...{ show: "Cricket live", season: 3, episode: 9, rev: 2 },
});
/** One way to find it for every dimension, and by asset. */
const WAYS: Partial<HistoryFilter>[] = [
  ...[{ sport: "cricket" }, { series: "World Cup 2026" }, { show: "Cricket live" }, { season: 3 }],
  ...[{ team: ["India"] }, { team: ["England"] }, { team: ["England", "India"], team_match: "all" as const }],
  { sport: "cricket", team: ["India", "nobody"], season: 3 },
];

describe.each(MODELS)("the index %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  beforeEach(() => indexed.empty());
  afterAll(() => indexed.stop());

  const list = async () => {
    const items = await readView(indexed.redis, "alice" as UserId);
    return items === "cold" ? items : items.map(({ content_id }) => content_id);
  };
  const recordOf = async (id: string) => {
    const seen = await indexed.search("alice", { asset_id: contentIds(id) });
    return seen.state === "page" ? seen.found[0]?.record : seen.state;
  };
  /** By which of the ways it is found. */
  const waysTo = async (id: string) => {
    const found = await Promise.all(
      WAYS.map(async (way) => (await indexed.found("alice", way)).includes(id)),
    );
    return WAYS.filter((_, n) => found[n]);
  };
  const recorded = () => recordedOf(indexed.redis, "alice");

  describe("when the catalogue changes", () => {
    test("a content that it learns of gains its dimensions", async () => {
      await indexed.warm("alice", [historyRow("alice", "final"), historyRow("alice", "unknown")]);
      expect(await waysTo("final")).toEqual([]);
      expect(await recordOf("final")).toBeNull();

      await indexed.project([historyRow("alice", "final")], { catalogue: [FINAL] });
      expect(await waysTo("final")).toEqual(WAYS);
      expect(await recordOf("final")).toEqual(recordView(FINAL));
      expect(await indexed.found("alice", { asset_id: contentIds("final", "unknown") })).toEqual([
        "unknown",
        "final",
      ]);
      for (const by of DIMENSIONS) {
        expect(await indexed.facets("alice", by)).toMatchObject({
          state: "facets",
          found: by === "team" ? [{ value: "England" }, { value: "India" }] : [{ count: 1 }],
        });
      }
    });

    test("an item is found under the new dimensions, and no longer under the old", async () => {
      await indexed.warm("alice", [historyRow("alice", "final")], { catalogue: [FINAL] });
      const moved = contentOf("final", { sport: "Cricket", teams: ["England", "Australia"], rev: 3 });
      await indexed.project([historyRow("alice", "final")], { catalogue: [moved] });
      expect(await waysTo("final")).toEqual([{ team: ["England"] }]);
      expect(await indexed.found("alice", { sport: "Cricket", team: ["Australia"] })).toEqual(["final"]);
      expect(await recordOf("final")).toEqual(recordView(moved));
      expect(await indexed.facets("alice", "show")).toMatchObject({ found: [] });
      expect(await indexed.facets("alice", "team")).toMatchObject({
        found: [
          { value: "Australia", count: 1 },
          { value: "England", count: 1 },
        ],
      });
    });

    test("an item of removed content is in the plain list, and found by its asset alone", async () => {
      await indexed.warm("alice", [historyRow("alice", "final")], { catalogue: [FINAL] });
      const removed = { ...FINAL, rev: 3, removed: true };
      await indexed.project([historyRow("alice", "final")], { catalogue: [removed] });
      expect(await list()).toEqual(["final"]);
      expect(await waysTo("final")).toEqual([]);
      expect(await indexed.found("alice", { asset_id: contentIds("final") })).toEqual(["final"]);
      expect(await recordOf("final")).toBeNull();
      for (const by of DIMENSIONS) expect(await indexed.facets("alice", by)).toMatchObject({ found: [] });
      expect(await recorded()).not.toContain("final");

      // It comes back into the catalogue.
      await indexed.project([historyRow("alice", "final")], {
        catalogue: [{ ...FINAL, rev: 4 }],
      });
      expect(await waysTo("final")).toEqual(WAYS);
    });

    test("an older version of the content, projected later, changes nothing", async () => {
      const newest = { ...FINAL, rev: 5 };
      await indexed.warm("alice", [historyRow("alice", "final", { rev: 3 })], { catalogue: [newest] });
      const before = [await recordsIn(indexed.redis), await indexed.search("alice", null)];
      const older = [
        contentOf("final", { sport: "darts", rev: 4 }),
        contentOf("final", { ...FINAL, rev: 4, removed: true }),
        contentOf("final", { sport: "the same version", rev: 5 }),
      ];
      for (const content of older) {
        for (const rev of [2, 3])
          await indexed.project([historyRow("alice", "final", { rev })], { catalogue: [content] });
      }
      await indexed.project([historyRow("alice", "final", { rev: 3 })]);
      expect([await recordsIn(indexed.redis), await indexed.search("alice", null)]).toEqual(before);
    });
  });

  describe("when the history changes", () => {
    test("a forgotten item is in no list and leaves no record; with a newer row both are there again", async () => {
      const rows = [historyRow("alice", "final", { rev: 2 }), historyRow("alice", "other", { rev: 1 })];
      const other = contentOf("other", { sport: "cricket" });
      await indexed.warm("alice", rows, { catalogue: [FINAL, other] });

      await indexed.project([historyRow("alice", "final", { rev: 3, watched_at: 0 })], {
        catalogue: [FINAL],
      });
      expect(await list()).toEqual(["other"]);
      expect(await waysTo("final")).toEqual([]);
      expect(await indexed.found("alice", { asset_id: contentIds("final") })).toEqual([]);
      expect(await indexed.facets("alice", "sport")).toMatchObject({
        found: [{ value: "cricket", count: 1 }],
      });
      expect(await recorded()).not.toContain("final");

      // A slow projection of before.
      await indexed.project([historyRow("alice", "final", { rev: 2 })], {
        catalogue: [{ ...FINAL, rev: 9 }],
      });
      expect(await list()).toEqual(["other"]);
      expect(await recorded()).not.toContain("final");

      await indexed.project([historyRow("alice", "final", { rev: 4 })], { catalogue: [FINAL] });
      expect(await waysTo("final")).toEqual(WAYS);
      expect(await recordOf("final")).toEqual(recordView(FINAL));
    });

    test("a clear leaves no records, and of what is watched afterwards its own", async () => {
      const ids = Array.from({ length: 700 }, (_, n) => `c${n}`);
      const catalogue = ids.map((id) => contentOf(id, { sport: "cricket", teams: ["India"] }));
      await indexed.warm(
        "alice",
        ids.map((id) => historyRow("alice", id)),
        { catalogue },
      );
      await indexed.warm("bob", [historyRow("bob", "c1")], { catalogue });
      await indexed.project([], { cleared: { alice: START } });
      expect(await list()).toEqual([]);
      expect(await indexed.found("alice", { sport: "cricket" })).toEqual([]);
      expect(await indexed.facets("alice", "sport")).toMatchObject({ state: "facets", found: [] });
      expect(await recorded()).toEqual([]);
      expect(await indexed.found("bob", { sport: "cricket" })).toEqual(["c1"]);

      const again = historyRow("alice", "c5", { rev: 2, watched_at: START + 1 });
      await indexed.project([again, historyRow("alice", "c6")], { catalogue, cleared: { alice: START } });
      expect(await indexed.found("alice", { sport: "cricket" })).toEqual(["c5"]);
    });

    test("what is past the limit goes, with its record", async () => {
      const ids = ["a1", "b2", "c3", "d4", "e5"];
      const catalogue = ids.map((id) => contentOf(id, { sport: "cricket" }));
      const rows = ids.map((id, n) => historyRow("alice", id, { watched_at: START + n }));
      await indexed.warm("alice", rows.slice(0, 3), { catalogue, historyLimit: 3 });
      expect(await indexed.found("alice", { sport: "cricket" })).toEqual(["c3", "b2", "a1"]);
      await indexed.project(rows.slice(3), { catalogue, historyLimit: 3 });
      expect(await indexed.search("alice", { sport: "cricket" })).toMatchObject({ complete: false });
      expect(await indexed.found("alice", { sport: "cricket" })).toEqual(["e5", "d4", "c3"]);
      expect(await recorded()).toEqual(["c3", "d4", "e5"]);
    });

    test("a heartbeat never touches the index", async () => {
      const catalogue = [FINAL, contentOf("other", { sport: "cricket" })];
      const rows = ["final", "other", "unknown"].map((id) => historyRow("alice", id));
      await indexed.warm("alice", rows, { catalogue });
      const before = await recordsIn(indexed.redis);
      expect(JSON.stringify(before)).toContain("final");

      await indexed.redis.call("CONFIG", "RESETSTAT");
      for (let n = 1; n <= 20; n++) {
        const beats = rows.map(({ content_id }) =>
          historyRow("alice", content_id, { rev: 1 + n, watched_at: START + n, playback_time: n }),
        );
        await indexed.project(beats, { catalogue });
      }
      expect(await recordsIn(indexed.redis)).toEqual(before);
      const counts = await commandCounts(indexed.redis);
      // Order and changes; progress and the version of the view. Nothing else is written.
      expect([counts.get("zadd"), counts.get("hset")]).toEqual([40, 40]);
      const writes = "set|del|hdel|hmset|sadd|srem|zrem|ft.addhash|ft.safeaddhash|ft.add|ft.del";
      expect([...counts.keys()].filter((name) => new RegExp(`^(${writes})$`).test(name))).toEqual([]);
      expect(await indexed.search("alice", { sport: "cricket" })).toMatchObject({
        found: [{ progress: { playback_time: 20 } }, { progress: { playback_time: 20 } }],
      });
    });
  });
});
