import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { HistoryFilter } from "../../db/contract/dimensions.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { runScript } from "../../ingest/redis.ts";
import { contentIds, createIndexed, type Indexed } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const START = Date.UTC(2026, 0, 1);
const CATALOGUE = ["a", "b", "c", "d"].map((id) => contentOf(id, { sport: "cricket", season: 3 }));
const ROWS = CATALOGUE.map(({ content_id }, n) => historyRow("alice", content_id, { watched_at: START + n }));

describe.each(MODELS)("what a view of the index %s says of itself", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  beforeEach(() => indexed.empty());
  afterAll(() => indexed.stop());

  const FILTERS: (Partial<HistoryFilter> | null)[] = [
    null,
    { sport: "cricket" },
    { asset_id: contentIds("a") },
  ];
  const everything = () =>
    Promise.all(
      FILTERS.flatMap((filter) => [
        indexed.search("alice", filter),
        indexed.facets("alice", "sport", filter),
      ]),
    );

  test("a cold one that it is cold, and a warming one, too, whatever is in it", async () => {
    const cold = FILTERS.flatMap(() => [{ state: "cold" }, { state: "cold" }]);
    expect(await everything()).toEqual(cold);

    const { scripts } = await indexed.index.current();
    await runScript(indexed.redis, scripts.beginRefill, historyKeys("alice" as UserId), ["token", 2_000]);
    expect(await everything()).toEqual(cold);
    await indexed.project(ROWS, { catalogue: CATALOGUE });
    expect(await everything()).toEqual(cold);

    await indexed.warm("alice", []);
    expect(await indexed.found("alice", { sport: "cricket" })).toEqual(["d", "c", "b", "a"]);
    await indexed.evict("alice");
    expect(await everything()).toEqual(cold);
  });

  test("one that is empty that it is empty and complete", async () => {
    await indexed.warm("alice", []);
    expect(await indexed.search("alice", { sport: "cricket" })).toMatchObject({
      ...{ state: "page", complete: true, found: [] },
    });
    expect(await indexed.facets("alice", "sport")).toMatchObject({
      ...{ state: "facets", complete: true, found: [] },
    });
  });

  test("its version, for lists and facets alike, and nothing else to whom has it already", async () => {
    await indexed.warm("alice", ROWS, { catalogue: CATALOGUE });
    await indexed.warm("bob", [historyRow("bob", "a")], { catalogue: CATALOGUE });
    const versionNow = async (user = "alice") => {
      const [list, facets] = [
        await indexed.search(user, { season: 3 }),
        await indexed.facets(user, "season"),
      ];
      const versions = [list, facets].map((seen) => ("version" in seen ? seen.version : seen.state));
      expect(versions[0]).toBe(versions[1]);
      return versions[0] ?? "";
    };
    const expectOnly = async (version: string) => {
      const same = { state: "same", version };
      expect(await indexed.search("alice", { season: 3 }, { known: version })).toEqual(same);
      expect(await indexed.facets("alice", "season", null, version)).toEqual(same);
    };
    const first = await versionNow();
    await expectOnly(first);
    for (const other of [await versionNow("bob"), `${first}0`, first.slice(0, -1), "nonsense"]) {
      expect(await indexed.search("alice", { season: 3 }, { known: other })).toMatchObject({ state: "page" });
      expect(await indexed.facets("alice", "season", null, other)).toMatchObject({ state: "facets" });
    }

    // Whatever is seen in a narrowed list is seen in the version.
    const seen = [first];
    const changes: (() => Promise<void>)[] = [
      () => indexed.project([historyRow("alice", "a", { rev: 2, watched_at: START + 9 })]),
      () =>
        indexed.project([historyRow("alice", "a", { rev: 2 })], { catalogue: [contentOf("a", { rev: 2 })] }),
      () =>
        indexed.project([historyRow("alice", "a")], {
          catalogue: [contentOf("a", { rev: 3, removed: true })],
        }),
      () => indexed.project([historyRow("alice", "b", { rev: 2, watched_at: 0 })]),
      () => indexed.project([], { cleared: { alice: START + 2 } }),
    ];
    for (const change of changes) {
      await change();
      const version = await versionNow();
      expect(seen).not.toContain(version);
      seen.push(version);
      await expectOnly(version);
      expect(await indexed.search("alice", { season: 3 }, { known: first })).toMatchObject({ state: "page" });
    }
    // What changes nothing does not change it either.
    await indexed.project(ROWS, { catalogue: CATALOGUE, cleared: { alice: START + 2 } });
    expect(await versionNow()).toBe(seen.at(-1));
    await indexed.evict("alice");
    await indexed.warm("alice", ROWS, { catalogue: CATALOGUE });
    expect(seen).not.toContain(await versionNow());
  });

  test("that what lies below its floor may be missing", async () => {
    await indexed.warm("alice", ROWS, { catalogue: CATALOGUE, floor: START });
    const page = async (limit: number, filter: Partial<HistoryFilter> | null) => {
      const seen = await indexed.search("alice", filter, { limit });
      return seen.state === "page" ? [seen.complete, seen.found.length] : [seen.state];
    };
    // One more than the limit is known: nobody needs to ask further.
    expect(await page(2, { sport: "cricket" })).toEqual([true, 3]);
    expect(await page(3, { sport: "cricket" })).toEqual([false, 3]);
    expect(await page(1, { sport: "darts" })).toEqual([false, 0]);
    expect(await page(1, { asset_id: contentIds("d") })).toEqual([false, 1]);
    expect(await page(3, null)).toEqual([false, 3]);
    expect(await indexed.facets("alice", "sport")).toMatchObject({ complete: false });
    expect(await indexed.facets("alice", "sport", { season: 3 })).toMatchObject({ complete: false });

    await indexed.evict("alice");
    await indexed.warm("alice", ROWS, { catalogue: CATALOGUE });
    expect(await page(3, { sport: "cricket" })).toEqual([true, 4]);
    expect(await page(200, { sport: "darts" })).toEqual([true, 0]);
    expect(await indexed.facets("alice", "sport")).toMatchObject({ complete: true });
  });

  test("what lies at its floor is not shown or counted, though it may still be there", async () => {
    const ties = ["a", "b", "c", "d"].map((id) => historyRow("alice", id));
    const newer = historyRow("alice", "e", { watched_at: START + 1 });
    const catalogue = [...CATALOGUE, contentOf("e", { sport: "cricket" })];
    await indexed.warm("alice", [...ties.slice(0, 2), newer], { catalogue, historyLimit: 3 });
    // Of four, one was too many: it cannot be told from the others of its instant.
    await indexed.project(ties.slice(2, 3), { catalogue, historyLimit: 3 });
    expect(await indexed.redis.zcard(historyKeys("alice" as UserId)[1])).toBe(3);
    expect(await indexed.found("alice", { sport: "cricket" })).toEqual(["e"]);
    expect(await indexed.search("alice", { sport: "cricket" })).toMatchObject({ complete: false });
    expect(await indexed.facets("alice", "sport")).toMatchObject({ complete: false, found: [{ count: 1 }] });
  });
});
