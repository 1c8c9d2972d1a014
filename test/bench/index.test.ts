import { describe, expect, test } from "vitest";
import { makeCatalogue } from "../../bench/index/catalogue.ts";
import type { Cell } from "../../bench/index/queries.ts";
import { askOf, SHAPE_NAMES } from "../../bench/index/shapes.ts";
import { verdictLine } from "../../bench/index/tables.ts";
import { verdictsOf } from "../../bench/index/verdicts.ts";
import { crowdsOf, recordsIn, rowsInTime, SIZES } from "../../bench/index/viewers.ts";
import { randomFrom } from "../../bench/random.ts";

describe("the histories of the load test", () => {
  const contents = makeCatalogue();
  const small = crowdsOf({ 20: 3, 200: 2, 2000: 1 }, contents);

  test("are as long as they say, half of them matches, and the same every time", () => {
    expect(recordsIn(small)).toBe(3 * 20 + 2 * 200 + 2_000);
    for (const size of SIZES) {
      for (const { watched } of small[size].viewers) {
        expect(new Set(watched).size).toBe(size);
        expect(watched.filter(({ kind }) => kind === "match")).toHaveLength(size / 2);
      }
    }
    expect(crowdsOf({ 20: 4, 200: 2, 2000: 1 }, contents)[20].viewers.slice(0, 3)).toEqual(small[20].viewers);
  });

  test("come in the order of time, across users", () => {
    const rows = rowsInTime(small[20]);
    expect(rows.map(({ watched_at }) => watched_at)).toEqual(
      rows.map(({ watched_at }) => watched_at).toSorted((a, b) => a - b),
    );
    expect(new Set(rows.slice(0, 3).map(({ user_id }) => user_id)).size).toBe(3);
  });

  test.each(SHAPE_NAMES)("%s asks for what is in the history", (shape) => {
    const random = randomFrom(1);
    for (let n = 0; n < 50; n++) {
      const { user, filter } = askOf(shape, small[20], random);
      const { watched = [] } = small[20].viewers.find((viewer) => viewer.user === user) ?? {};
      const wanted = watched.find(
        ({ content_id, sport, series, teams, show, season }) =>
          filter === null ||
          ((filter.asset_id.length === 0 || filter.asset_id.includes(content_id)) &&
            [sport, null].includes(filter.sport) &&
            [series, null].includes(filter.series) &&
            filter.team.every((team) => teams.includes(team)) &&
            [show, null].includes(filter.show) &&
            [season, null].includes(filter.season)),
      );
      expect(wanted).toBeDefined();
      expect(filter === null).toBe(shape === "unfiltered page");
    }
  });
});

describe("the verdicts", () => {
  const cell = (its: Partial<Cell>): Cell => ({
    ...{ shape: "sport", size: 200, column: "redisearch", p50: 0.3, p99: 1, samples: 500, found: 3 },
    ...{ smallP50: 0.3, growth: 1 },
    ...its,
  });
  const cells = [
    cell({}),
    cell({ shape: "sport + series", p50: 0.5 }),
    cell({ shape: "unfiltered page", p50: 0.2 }),
    cell({ shape: "show", size: 2_000, p50: 7, growth: 1.6 }),
    cell({ shape: "sport + series", column: "postgres", p50: 9, growth: 9 }),
  ];

  test("are of the model's own cells, the worst of them, and of 200 items but for the growth", () => {
    expect(verdictsOf("redisearch", cells)).toMatchObject([
      { value: 2.5, most: 2, where: null, reached: false },
      { value: 0.5, most: 1, where: "sport + series", reached: true },
      { value: 1.6, most: 1.5, where: "show, 2,000 items", reached: false },
    ]);
  });

  test("say in a line what was missed, and where", () => {
    expect(verdictsOf("redisearch", cells).map(verdictLine)).toEqual([
      "MISSED   p50 of sport + series beside the plain page of 50, 200 items: 2.50 times, reach ≤ 2 times",
      "reached  p50 of the slowest shape, 200 items: 0.500 ms (sport + series), reach ≤ 1 ms",
      expect.stringMatching(
        /^MISSED {3}p50 with ten times .*: 1\.60 times \(show, 2,000 items\), reach ≤ 1\.5/,
      ),
    ]);
  });
});
