import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Measured } from "../../bench/figure.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "playhead-bench-test-"));
const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["bench/main.ts", ...args], { cwd: ROOT });
const written = (name: string) => readFileSync(join(out, name), "utf8");

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("a smoke run of two experiments", () => {
  let terminal: string;

  beforeAll(async () => {
    const args = ["--quick", "--only", "accept", "--only", "drain-rows", "--out", out];
    ({ stdout: terminal } = await bench(...args));
  }, 60_000);

  test("writes every figure of theirs with a finite value and both sides", () => {
    const { figures } = JSON.parse(written("latest.json")) as { figures: Measured[] };
    expect(figures.map(({ name }) => name)).toEqual([
      "accept",
      "accept-batches",
      "drain-rows",
      "drain-index",
    ]);
    for (const { value, ours, theirs, rounds } of figures) {
      for (const number of [value, ours, theirs]) expect(number).toBeGreaterThan(0);
      expect(Number.isFinite(value)).toBe(true);
      expect(rounds).toHaveLength(1);
    }
  });

  test("draws them and puts them into a table", () => {
    const svg = written("latest.svg");
    expect([svg.startsWith("<svg "), svg.includes("drain-rows"), svg.endsWith("</svg>\n")]).not.toContain(
      false,
    );
    expect(written("latest.md")).toContain("A smoke run of");
    expect(terminal).toMatch(/^accept-batches +[\d.]+ +≥ 8 /m);
  });
});

test("an experiment that does not exist is refused before anything starts", async () => {
  await expect(bench("--only", "nothing")).rejects.toThrow(/nothing: not one of accept, edge-read/);
});
