import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MODELS } from "../../db/redis/index/model.ts";
import { createIndexed, type Indexed } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const START = Date.UTC(2026, 0, 1);
/** HISTORY_LIMIT, unless told otherwise. */
const LIMIT = 2_000;

const CATALOGUE = Array.from({ length: LIMIT }, (_, n) =>
  contentOf(`content-${n}`, {
    ...{
      title: `A title as long as titles are, number ${n}`,
      thumbnail: `https://images.example.com/${n}.jpg`,
    },
    ...{ sport: "cricket", series: `Series ${n % 20}`, teams: [`Team ${n % 8}`, `Team ${8 + (n % 9)}`] },
  }),
);
const ROWS = CATALOGUE.map(({ content_id }, n) => historyRow("alice", content_id, { watched_at: START + n }));

describe.each(MODELS)("a history as long as it may be, in %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  beforeEach(() => indexed.empty());
  afterAll(() => indexed.stop());

  /** What Redis writes to its disk; scripts that write much hold everybody up, too. */
  const written = async () =>
    Number(/aof_current_size:(\d+)/.exec(await indexed.redis.info("persistence"))?.[1]);
  const costOf = async (work: () => Promise<void>) => {
    const before = await written();
    await work();
    return (await written()) - before;
  };
  const SIZE = JSON.stringify(CATALOGUE).length;

  test("is warmed, searched, counted, trimmed and cleared at a cost that grows with it, not with its square", async () => {
    expect(await costOf(() => indexed.warm("alice", ROWS, { catalogue: CATALOGUE }))).toBeLessThan(SIZE * 8);
    const found = await indexed.search("alice", { series: "Series 7" });
    expect(found).toMatchObject({ state: "page", complete: true });
    expect(found.state === "page" && found.found).toHaveLength(100);
    expect(await indexed.facets("alice", "series")).toMatchObject({
      found: Array.from({ length: 20 }, () => ({ count: 100 })),
    });

    const more = Array.from({ length: 500 }, (_, n) =>
      historyRow("alice", `more-${n}`, { watched_at: START * 2 + n }),
    );
    const trim = () => indexed.project(more, { historyLimit: LIMIT });
    expect(await costOf(trim)).toBeLessThan(SIZE * 8);
    expect(await indexed.facets("alice", "sport")).toMatchObject({ found: [{ count: LIMIT - 500 }] });

    const clear = () => indexed.project([], { cleared: { alice: START * 3 } });
    expect(await costOf(clear)).toBeLessThan(SIZE * 8);
    expect(await indexed.facets("alice", "sport")).toMatchObject({ found: [] });
  });
});
