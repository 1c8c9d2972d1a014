import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Comparison } from "../../bench/index/compare.ts";
import { SHAPE_NAMES } from "../../bench/index/shapes.ts";
import { COLUMNS } from "../../bench/index/side.ts";
import { SIZES } from "../../bench/index/viewers.ts";
import { WRITES } from "../../bench/index/writes.ts";
import { MODELS } from "../../db/redis/index/model.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "playhead-bench-test-"));
const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["bench/main.ts", ...args], { cwd: ROOT });
const written = (name: string) => readFileSync(join(out, name), "utf8");

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("a smoke run of the load test of the history index", () => {
  let terminal: string;
  let comparison: Comparison;

  beforeAll(async () => {
    ({ stdout: terminal } = await bench("index", "--quick", "--out", out));
    comparison = JSON.parse(written("index.json")) as Comparison;
  }, 180_000);

  test("measures every shape for every size of history in every column", () => {
    const { cells } = comparison;
    expect(cells).toHaveLength(SHAPE_NAMES.length * SIZES.length * COLUMNS.length);
    const names = cells.map(({ shape, size, column }) => `${shape}/${size}/${column}`);
    expect(new Set(names).size).toBe(cells.length);
    for (const { p50, p99, growth, found, samples } of cells) {
      for (const number of [p50, p99, growth, found]) expect(number).toBeGreaterThan(0);
      expect(samples).toBe(5);
    }
  });

  test("counts what a write costs, and what a user takes", () => {
    const { writes, footprints } = comparison;
    expect(writes).toHaveLength(WRITES.length * SIZES.length * MODELS.length);
    for (const { commands, bytes, inside, scriptMicroseconds, diskBytes, answeredMicroseconds } of writes) {
      expect(commands).toBe(1);
      const numbers = [bytes, inside, scriptMicroseconds, diskBytes, answeredMicroseconds];
      for (const number of numbers) expect(number).toBeGreaterThan(0);
    }
    for (const model of MODELS) {
      expect(footprints[model].map(({ size }) => size)).toEqual(SIZES);
      for (const { bytes, keys } of footprints[model]) {
        expect(bytes).toBeGreaterThan(0);
        expect(keys).toBeGreaterThan(3);
      }
    }
  });

  test("says of every promise whether the default keeps it", () => {
    const own = comparison.verdicts.filter(({ model }) => model === comparison.default);
    expect(own).toHaveLength(3);
    expect(terminal.match(/^(reached|MISSED ) {2}p50 /gm)).toHaveLength(3);
    for (const { value } of comparison.verdicts) expect(value).toBeGreaterThan(0);
  });

  test("draws and tabulates it", () => {
    const svg = written("index.svg");
    expect([svg.startsWith("<svg "), svg.includes("sport + series"), svg.endsWith("</svg>\n")]).not.toContain(
      false,
    );
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(written("index.md")).toContain("A smoke run of");
    expect(terminal).toMatch(/^sport \+ series +[\d.]+ \/ [\d.]+ ×/m);
  });
});

test("another load test, or figures beside this one, are refused before anything starts", async () => {
  await expect(bench("indexes")).rejects.toThrow(/indexes: not index/);
  await expect(bench("index", "--only", "accept")).rejects.toThrow(/--only is for the figures/);
});
