import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { HistoryFilter } from "../../db/contract/dimensions.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { type Cursor, newestFirst } from "../../db/contract/pages.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { createIndexed, type Indexed } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const START = Date.UTC(2026, 0, 1);

describe.each(MODELS)("a narrowed list, paged, of %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  beforeEach(() => indexed.empty());
  afterAll(() => indexed.stop());

  /** Warms alice with items of which those that match are of the sport `wanted`. */
  async function warm(items: readonly HistoryRow[], matches: (row: HistoryRow, n: number) => boolean) {
    const catalogue = items.map(({ content_id }, n) =>
      contentOf(content_id, { sport: matches(items[n] as HistoryRow, n) ? "wanted" : "other" }),
    );
    const rows = items;
    await indexed.warm("alice", rows, { catalogue });
    return rows
      .filter(matches)
      .toSorted(newestFirst)
      .map(({ content_id }) => content_id);
  }

  /** Every page after the other, each from where the one before it ended. */
  async function walk(limit: number, filter: Partial<HistoryFilter> | null): Promise<string[]> {
    const walked: string[] = [];
    let after: Cursor | null = null;
    for (;;) {
      const page = await indexed.search("alice", filter, { limit, after });
      if (page.state !== "page") throw new Error(page.state);
      expect(page.found.length).toBeLessThanOrEqual(limit + 1);
      const shown = page.found.slice(0, limit).map(({ progress }) => progress);
      walked.push(...shown.map(({ content_id }) => content_id));
      expect(walked.length).toBeLessThanOrEqual(600);
      if (page.found.length <= limit) return walked;
      after = shown.at(-1) ?? null;
    }
  }

  test.each([1, 2, 3, 7])(
    "by %i gives every item that matches once, in order, through ties",
    async (limit) => {
      const ids = ["a", "A", "b", "B", "1", "11", "2", "z:1", "z.1", "~", "-", "_", "Z", "aa", "aA", "@"];
      const items = ids.map((id, n) => historyRow("alice", id, { watched_at: START + (n % 3) }));
      const expected = await warm(items, (_, n) => n % 4 !== 1);
      expect(expected).toHaveLength(12);
      expect(await walk(limit, { sport: "wanted" })).toEqual(expected);
      expect(await walk(limit, { sport: "wanted", asset_id: items.map((row) => row.content_id) })).toEqual(
        expected,
      );
    },
  );

  test.each([1, 2, 3, 7])("by %i gives all when all are of one instant", async (limit) => {
    const items = Array.from({ length: 20 }, (_, n) => historyRow("alice", `c${n}`));
    const expected = await warm(items, (_, n) => n % 3 === 0);
    expect(await walk(limit, { sport: "wanted" })).toEqual(expected);
  });

  // The script walks in chunks of 250.
  test.each([249, 250, 251, 500, 501])("of %i items finds the last one alone", async (count) => {
    const items = Array.from({ length: count }, (_, n) =>
      historyRow("alice", `c${n}`, { watched_at: START - n }),
    );
    const expected = await warm(items, (_, n) => n === count - 1);
    expect(await walk(1, { sport: "wanted" })).toEqual(expected);
    expect(await walk(1, { asset_id: expected })).toEqual(expected);
  });

  test.each([249, 250, 251])("of %i items of one instant gives all", async (count) => {
    const items = Array.from({ length: count }, (_, n) => historyRow("alice", `c${n}`));
    const expected = await warm(items, () => true);
    expect(await walk(100, { sport: "wanted" })).toEqual(expected);
  });

  test.each([1, 2, 3, 7, 200])("by %i gives the few of 600 that match, in order", async (limit) => {
    const items = Array.from({ length: 600 }, (_, n) =>
      historyRow("alice", `c${n}`, { watched_at: START - Math.floor(n / 5) }),
    );
    const expected = await warm(items, (_, n) => [3, 4, 248, 249, 250, 251, 252, 499, 500, 599].includes(n));
    expect(expected).toHaveLength(10);
    expect(await walk(limit, { sport: "wanted" })).toEqual(expected);
    expect(await walk(limit, { sport: "nobody's" })).toEqual([]);
  });

  test("goes on where it was when the item that it ended with is forgotten meanwhile", async () => {
    const items = ["a", "b", "c", "d"].map((id) => historyRow("alice", id));
    expect(await warm(items, () => true)).toEqual(["d", "c", "b", "a"]);
    await indexed.project([historyRow("alice", "c", { watched_at: 0, rev: 2 })]);
    const after = { watched_at: START, content_id: items[2]?.content_id as ContentId };
    const page = await indexed.search("alice", { sport: "wanted" }, { limit: 1, after });
    expect(page).toMatchObject({ state: "page", found: [{}, {}] });
    expect(page.state === "page" && page.found[0]?.progress.content_id).toBe("b");
  });

  test("of 600 items gives all when all match, whatever the page", async () => {
    const items = Array.from({ length: 600 }, (_, n) =>
      historyRow("alice", `c${n}`, { watched_at: START - Math.floor(n / 7) }),
    );
    const expected = await warm(items, () => true);
    for (const limit of [7, 124, 125, 126, 200]) {
      expect(await walk(limit, { sport: "wanted" })).toEqual(expected);
    }
  });
});
