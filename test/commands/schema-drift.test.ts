import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function drift(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["commands/schema-drift.ts", ...args], { cwd: ROOT }, (error, stdout) => {
      resolve({ code: error ? Number(error.code) : 0, stdout });
    });
  });
}

describe("npm run schema-drift", () => {
  test("is content with the schema as it is", async () => {
    expect(await drift()).toEqual({ code: 0, stdout: "The migrations make the schema.\n" });
  });

  test("fails when the schema has a column that no migration makes", async () => {
    // Below node_modules, where the schema finds its packages and git does not look.
    const copy = mkdtempSync(join(ROOT, "node_modules", ".drift-"));
    try {
      cpSync(join(ROOT, "db/postgres/schema"), copy, { recursive: true });
      const file = join(copy, "history-users.ts");
      const changed = readFileSync(file, "utf8").replace(
        "cleared_at:",
        'drifted: stamp("drifted"), cleared_at:',
      );
      writeFileSync(file, changed);
      expect((await drift(relative(ROOT, copy))).code).toBe(1);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
