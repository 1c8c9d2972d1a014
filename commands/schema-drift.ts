import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "./local/paths.ts";
import { run } from "./local/run.ts";

/** `npm run schema-drift`: fails when the schema says something that no migration does. */
await run(async () => {
  const schema = process.argv[2] ?? "db/postgres/schema";
  const migrations = join(ROOT, "db/postgres/migrations");
  const copy = mkdtempSync(join(tmpdir(), "playhead-drift-"));
  try {
    cpSync(migrations, copy, { recursive: true });
    // drizzle-kit takes every path as relative, and exits with 0 when it fails: only its own word counts.
    const out = relative(ROOT, copy);
    const args = ["generate", "--dialect", "postgresql", "--schema", schema, "--out", out];
    const said = execFileSync(process.execPath, [join(ROOT, "node_modules/drizzle-kit/bin.cjs"), ...args], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    const added = readdirSync(copy).filter((name) => !readdirSync(migrations).includes(name));
    if (added.length === 0 && said.includes("No schema changes")) {
      console.log("The migrations make the schema.");
      return 0;
    }
    console.error(said);
    console.error("The schema has changed without a migration: npx drizzle-kit generate --name WHAT");
    return 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
