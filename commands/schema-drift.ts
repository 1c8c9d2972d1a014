import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./local/paths.ts";
import { run } from "./local/run.ts";

/** `npm run schema-drift`: fails when the schema says something that no migration does. */
await run(async () => {
  const migrations = join(ROOT, "db/postgres/migrations");
  const copy = mkdtempSync(join(tmpdir(), "playhead-drift-"));
  try {
    cpSync(migrations, copy, { recursive: true });
    const args = ["generate", "--dialect", "postgresql", "--schema", "db/postgres/schema", "--out", copy];
    execFileSync(process.execPath, [join(ROOT, "node_modules/drizzle-kit/bin.cjs"), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const missing = readdirSync(copy).filter((name) => !readdirSync(migrations).includes(name));
    if (missing.length === 0) {
      console.log("The migrations make the schema.");
      return 0;
    }
    console.error("The schema has changed without a migration: npx drizzle-kit generate --name WHAT");
    return 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
