import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "../../db/contract/contents.ts";
import { DIMENSIONS, valuesIn } from "../../db/contract/dimensions.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { type Packed, packProgress, recordView } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { contentIds, createIndexed, type Indexed, recordedOf } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const RUNS = 150;
const ITEMS = ["c1", "C1", "c11"];
const HIGHEST = 6;

/** What of an item is projected: a version of its row, beside a version of its content; 0 while it is unknown. */
type Step = { item: number; rev: number; content_rev: number };
const anyStep: fc.Arbitrary<Step> = fc.record({
  item: fc.nat(ITEMS.length - 1),
  rev: fc.integer({ min: 1, max: HIGHEST }),
  content_rev: fc.nat(HIGHEST),
});
/** Steps in turns, in any order, some of them again. */
const anySteps = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 8 });
/** Versions of content in which it is out of the catalogue, and of rows in which the item is forgotten. */
const anyVersions = fc.uniqueArray(fc.integer({ min: 1, max: HIGHEST }), { maxLength: 3 });

function rowOf({ item, rev }: Step, forgotten: readonly number[] = []): HistoryRow {
  const watched_at = forgotten.includes(rev) ? 0 : 1_000 + rev;
  return historyRow("alice", ITEMS[item] ?? "", { rev, watched_at, playback_time: rev });
}

/** Every version has dimensions of its own, and some that it shares with its neighbours. */
function contentAt({ item, content_rev }: Step, removed: readonly number[]): Content | null {
  if (content_rev === 0) return null;
  return contentOf(ITEMS[item] ?? "", {
    ...{ rev: content_rev, removed: removed.includes(content_rev), title: `version ${content_rev}` },
    ...{ sport: `sport ${content_rev % 2}`, show: `${ITEMS[item]} ${content_rev}`, season: content_rev },
    ...{ teams: [`team ${content_rev}`, `team ${content_rev + 1}`], duration: content_rev },
  });
}

describe.each(MODELS)("projections that overtake each other, in %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  afterAll(() => indexed.stop());

  async function projectAll(turns: Step[][], removed: readonly number[], forgotten: readonly number[] = []) {
    for (const turn of turns) {
      // One turn projects an item once.
      const steps = [...new Map(turn.map((step) => [step.item, step])).values()];
      const catalogue = steps.map((step) => contentAt(step, removed)).filter((content) => content !== null);
      await indexed.project(
        steps.map((step) => rowOf(step, forgotten)),
        { catalogue },
      );
    }
    return turns.flatMap((turn) => [...new Map(turn.map((step) => [step.item, step])).values()]);
  }

  /** The items whose record is shown and found by exactly the dimensions of this content. */
  async function expectRecords(expected: ReadonlyMap<string, Content | null>) {
    const page = await indexed.search("alice", { asset_id: contentIds(...ITEMS) });
    const records = page.state === "page" ? page.found : [];
    expect(new Map(records.map(({ progress, record }) => [progress.content_id as string, record]))).toEqual(
      new Map([...expected].map(([id, content]) => [id, shown(content) ? recordView(content) : null])),
    );
    for (const by of DIMENSIONS) {
      const counts = new Map<string, number>();
      for (const content of expected.values()) {
        for (const value of shown(content) ? valuesIn(by, content) : []) {
          counts.set(value, (counts.get(value) ?? 0) + 1);
        }
      }
      const facets = await indexed.facets("alice", by);
      const found = facets.state === "facets" ? facets.found : [];
      expect(new Map(found.map(({ value, count }) => [value, count]))).toEqual(counts);
    }
    for (let season = 1; season <= HIGHEST; season++) {
      const ids = [...expected].flatMap(([id, its]) => (shown(its) && its.season === season ? [id] : []));
      expect(((await indexed.found("alice", { season })) as string[]).toSorted()).toEqual(ids.toSorted());
    }
  }

  test("end with the newest row and the newest content, whatever their order", async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyVersions, async (turns, removed) => {
        await indexed.empty();
        await indexed.warm("alice", []);
        const steps = await projectAll(turns, removed);

        const progress = await indexed.redis.hgetall(historyKeys("alice" as UserId)[2]);
        const expected = new Map<string, Content | null>();
        const packed: Record<string, string> = {};
        for (const item of new Set(steps.map((step) => step.item))) {
          const its = steps.filter((step) => step.item === item);
          const rev = Math.max(...its.map((step) => step.rev));
          const content_rev = Math.max(...its.map((step) => step.content_rev));
          const newest = { item, rev, content_rev };
          const content = contentAt(newest, removed);
          expected.set(ITEMS[item] ?? "", content);
          packed[ITEMS[item] ?? ""] = packProgress(rowOf(newest), content);
        }
        expect(progress).toEqual(packed);
        await expectRecords(expected);
      }),
      { numRuns: RUNS },
    );
  });

  test("end forgotten when the newest row is; what is shown has the record that its progress names", async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyVersions, anyVersions, async (turns, removed, forgotten) => {
        await indexed.empty();
        await indexed.warm("alice", []);
        const steps = await projectAll(turns, removed, forgotten);

        const progress = await indexed.redis.hgetall(historyKeys("alice" as UserId)[2]);
        const recorded = await recordedOf(indexed.redis, "alice");
        const expected = new Map<string, Content | null>();
        for (const item of new Set(steps.map((step) => step.item))) {
          const id = ITEMS[item] ?? "";
          const its = steps.filter((step) => step.item === item);
          const rev = Math.max(...its.map((step) => step.rev));
          const [row, [content_rev]] = JSON.parse(progress[id] ?? "") as Packed;
          if (forgotten.includes(rev)) {
            expect(progress[id]).toBe(`[[${rev}],[0]]`);
            expect(recorded).not.toContain(id);
          } else {
            expect(row).toEqual([rev, 1_000 + rev, rev, 5_400, 0, null]);
            expect(its.map((step) => step.content_rev)).toContain(content_rev);
            expected.set(id, contentAt({ item, rev, content_rev }, removed));
          }
        }
        await expectRecords(expected);
        await indexed.evict("alice");
        expect(await indexed.redis.keys("*alice*")).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test("of one item, in every order there is", async () => {
    const steps: Step[] = [
      { item: 0, rev: 1, content_rev: 3 },
      { item: 0, rev: 3, content_rev: 0 },
      { item: 0, rev: 2, content_rev: 1 },
      { item: 0, rev: 4, content_rev: 2 },
    ];
    const newest = { item: 0, rev: 4, content_rev: 3 };
    for (const order of permutations(steps)) {
      await indexed.empty();
      await indexed.warm("alice", []);
      await projectAll(
        order.map((step) => [step]),
        [],
      );
      const packed = await indexed.redis.hget(historyKeys("alice" as UserId)[2], ITEMS[0] ?? "");
      expect(packed).toBe(packProgress(rowOf(newest), contentAt(newest, [])));
      await expectRecords(new Map([[ITEMS[0] ?? "", contentAt(newest, [])]]));
    }
  });
});

function shown(content: Content | null): content is Content {
  return content !== null && !content.removed;
}

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length === 0) return [[]];
  return all.flatMap((first, at) => permutations(all.toSpliced(at, 1)).map((rest) => [first, ...rest]));
}
