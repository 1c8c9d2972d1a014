import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const operations = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

test("npm run config prints each variable with its default and in words, and the manual knows them all", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["commands/config.ts"]);
  for (const side of ["edge", "ingest", "door"]) expect(stdout).toMatch(new RegExp(`^${side}$`, "m"));
  expect(stdout).toContain("  HISTORY_LIMIT (2000)\n      Newest items of a user that Redis holds");

  const printed = Array.from(stdout.matchAll(/^ {2}([A-Z_]+)(?: \(.*\))?\n {6}(.*)$/gm));
  expect(printed.length).toBeGreaterThan(35);
  for (const [, name, words] of printed) {
    expect([name, words]).toEqual([name, expect.stringMatching(/\w+ \w+/)]);
    expect(operations).toContain(`\`${name}\``);
  }
});
