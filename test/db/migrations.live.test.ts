import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { afterAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { migrate, rollback } from "../../db/postgres/migrate.ts";
import { linesToPaste, playheadIn } from "../commands/playhead.ts";
import { onServer } from "../support/on-server.ts";
import { schemaOf } from "../support/schema-of.ts";

const MIGRATIONS = fileURLToPath(new URL("../../db/postgres/migrations/", import.meta.url));
const journal: Journal = JSON.parse(readFileSync(join(MIGRATIONS, "meta", "_journal.json"), "utf8"));
const names = journal.entries.map(({ tag }) => tag);

test("every rollback restores exactly the schema before its migration, and the way up is open again", async () => {
  const url = await emptyDatabase("rollback");
  const schemas = [await schemaOf(url)];
  for (const count of names.keys()) {
    await applyFirst(url, count + 1);
    schemas.push(await schemaOf(url));
  }
  // The test sees what a migration does: no two neighbours look alike.
  for (const [n, schema] of schemas.slice(1).entries()) expect(schema).not.toEqual(schemas[n]);

  for (const [n, name] of [...names.entries()].reverse()) {
    expect(await rollback(url)).toBe(name);
    expect(await schemaOf(url)).toEqual(schemas[n]);
  }
  expect(await rollback(url)).toBeNull();

  for (const count of names.keys()) {
    await applyFirst(url, count + 1);
    expect(await schemaOf(url)).toEqual(schemas[count + 1]);
  }
});

test.each([
  "COMMENT ON COLUMN listitems.rev IS 'another'",
  "ALTER TABLE listitems SET (fillfactor = 71)",
  "ALTER TABLE listitems ALTER COLUMN rev SET DEFAULT 7",
  "GRANT SELECT ON listitems TO PUBLIC",
  "ALTER VIEW watch_history SET (security_barrier = true)",
  "CREATE VIEW another AS SELECT 1 AS n",
  "CREATE INDEX another ON listitems (rev)",
])("a difference of any kind is seen: %s", async (change) => {
  const url = await emptyDatabase("compare");
  await migrate(url);
  const before = await schemaOf(url);
  await onServer(url, (sql) => sql.unsafe(change));
  expect(await schemaOf(url)).not.toEqual(before);
});

test("a database that has data in it can be taken down and up again", async () => {
  const url = await emptyDatabase("filled");
  await migrate(url);
  await onServer(url, async (sql) => {
    await sql`INSERT INTO playlists (user_id, name) VALUES (${"alice"}, ${"watchhistory"})`;
  });
  for (const name of names.toReversed()) expect(await rollback(url)).toBe(name);
  await migrate(url);
});

test("several processes may migrate at once", async () => {
  const url = await emptyDatabase("crowd");
  await Promise.all(Array.from({ length: 4 }, () => migrate(url)));
  await onServer(url, async (sql) => {
    expect(await sql`SELECT 1 FROM drizzle.__drizzle_migrations`).toHaveLength(names.length);
  });
});

test("a migration that is not ours is not taken back", async () => {
  const url = await emptyDatabase("newer");
  await migrate(url);
  await onServer(url, (sql) => sql`UPDATE drizzle.__drizzle_migrations SET created_at = 1`);
  await expect(rollback(url)).rejects.toThrow("not one of ours");
});

describe("npm run migrate and npm run rollback", { timeout: 60_000 }, () => {
  const playhead = playheadIn();
  afterAll(() => playhead.clear());
  const newest = names.at(-1);

  test("work on the database of DATABASE_URL and say what they did", async () => {
    const DATABASE_URL = await emptyDatabase("commands");
    expect(await said("migrate", { DATABASE_URL })).toBe(`Applied ${names.join(", ")}.\n`);
    expect(await said("migrate", { DATABASE_URL })).toBe("Nothing to apply.\n");
    expect(await said("rollback", { DATABASE_URL })).toBe(`Took back ${newest}.\n`);
    expect(await said("migrate", { DATABASE_URL })).toBe(`Applied ${newest}.\n`);
  });

  test("without it they start the embedded one for the moment, or use it where it runs", async () => {
    expect(await said("migrate")).toBe(`Applied ${names.join(", ")}.\n`);
    expect(playhead.processes()).toEqual([]);
    expect(await said("rollback")).toBe(`Took back ${newest}.\n`);

    const running = playhead.start({ EDGE_RUNTIME: "node" });
    await linesToPaste(running);
    expect(await said("migrate")).toBe("Nothing to apply.\n");
    running.child.kill("SIGTERM");
    expect(await running.code).toBe(0);
  });

  test("a database that is away is an error in one line", async () => {
    const { said, code } = playhead.command("migrate", [], {
      DATABASE_URL: "postgres://u:hidden@127.0.0.1:1/x",
    });
    expect(await code).toBe(1);
    expect(said.err).toMatch(/^.*ECONNREFUSED.*\n$/);
    expect(said.err).not.toContain("hidden");
  });

  async function said(name: string, env: Record<string, string> = {}): Promise<string> {
    const { said, code } = playhead.command(name, [], env);
    expect({ code: await code, err: said.err }).toEqual({ code: 0, err: "" });
    return said.out;
  }
});

/** A database without anything of ours. */
async function emptyDatabase(purpose: string): Promise<string> {
  const server = inject("postgresUrl");
  const name = `t_migrations_${purpose}_${process.pid}`;
  await onServer(server, (sql) => sql`CREATE DATABASE ${sql(name)}`);
  onTestFinished(() => onServer(server, (sql) => sql`DROP DATABASE ${sql(name)} WITH (FORCE)`));
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

/** Applies the oldest migrations only, as an older release would have done. */
async function applyFirst(url: string, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "playhead-migrations-"));
  cpSync(MIGRATIONS, folder, { recursive: true });
  const older = { ...journal, entries: journal.entries.slice(0, count) };
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(older));
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await applyMigrations(drizzle(sql), { migrationsFolder: folder });
  } finally {
    await sql.end();
    rmSync(folder, { recursive: true });
  }
}

type Journal = { entries: { tag: string }[] };
