import { describe, expect, test } from "vitest";
import { type Figure, measured, percentile } from "../../bench/figure.ts";
import { plot } from "../../bench/report/svg.ts";
import { markdownTable } from "../../bench/report/table.ts";

const rate: Figure = {
  name: "rate",
  measured: "what we do",
  beside: "what they do",
  unit: "rows/s",
  reach: { least: 0.5 },
};
const time: Figure = { name: "time", measured: "how long", beside: null, unit: "ms", reach: { most: 50 } };

describe("a figure out of its rounds", () => {
  test("is the median of the rounds' ratios, not the ratio of the medians", () => {
    const rounds = [
      { ours: 10, theirs: 100 },
      { ours: 60, theirs: 100 },
      { ours: 70, theirs: 80 },
    ];
    expect(measured(rate, rounds)).toMatchObject({ value: 0.6, ours: 60, theirs: 100, reached: true });
  });

  test("is the time itself where nothing is beside it", () => {
    expect(measured(time, [{ ours: 51, theirs: null }])).toMatchObject({
      value: 51,
      theirs: null,
      reached: false,
    });
  });

  test("a percentile lies between its neighbours", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([1, 2], 1)).toBe(2);
  });
});

describe("the report", () => {
  const figures = [
    measured(rate, [{ ours: 40, theirs: 100 }]),
    measured(time, [{ ours: 12.34, theirs: null }]),
  ];

  test("says in Markdown what was reached beside what", () => {
    expect(markdownTable(figures, "On a machine.").split("\n").slice(2)).toEqual([
      "| what we do | what they do | ≥ 0.5 | **0.400** (missed) | 40.0 beside 100 rows/s |",
      "| how long | - | ≤ 50 ms | **12.3 ms** | - |",
      "",
      "On a machine.",
      "",
    ]);
  });

  test("draws a bar up to its share of the reach, and cuts what would not fit", () => {
    const far = measured(rate, [{ ours: 5_000, theirs: 100 }]);
    expect(plot(figures)).toMatch(/class="missed" x="190" y="\d+" width="184\.0"/);
    expect(plot([far])).toContain("50.0 »");
  });
});
