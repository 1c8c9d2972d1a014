import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

const FOLDER = fileURLToPath(new URL("./migrations/", import.meta.url));
/** Any number that nobody else in this database uses: only one process migrates at a time. */
const MIGRATION_LOCK = 7_529_368;

/** Applies the migrations that are missing. Several processes may call it at once. */
export async function migrate(databaseUrl: string): Promise<void> {
  await locked(databaseUrl, (sql) => applyMigrations(drizzle(sql), { migrationsFolder: FOLDER }));
}

/** Takes back the newest migration. @returns its name, or null when there is none. */
export async function rollback(databaseUrl: string): Promise<string | null> {
  return await locked(databaseUrl, async (sql) => {
    const tag = await newestApplied(sql);
    if (tag === null) return null;
    const down = await readFile(`${FOLDER}${tag}.down.sql`, "utf8");
    await sql.begin(async (tx) => {
      for (const statement of down.split("--> statement-breakpoint")) await tx.unsafe(statement);
      await tx`DELETE FROM drizzle.__drizzle_migrations
        WHERE id = (SELECT max(id) FROM drizzle.__drizzle_migrations)`;
    });
    return tag;
  });
}

async function newestApplied(sql: postgres.Sql): Promise<string | null> {
  const [ledger] = await sql`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`;
  if (!ledger?.name) return null;
  const [newest] = await sql`SELECT created_at FROM drizzle.__drizzle_migrations ORDER BY id DESC LIMIT 1`;
  if (!newest) return null;
  const journal = JSON.parse(await readFile(`${FOLDER}meta/_journal.json`, "utf8")) as Journal;
  const entry = journal.entries.find(({ when }) => when === Number(newest.created_at));
  if (!entry) throw new Error("the newest migration of this database is not one of ours");
  return entry.tag;
}

async function locked<T>(databaseUrl: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    return await work(sql);
  } finally {
    await sql.end();
  }
}

type Journal = { entries: { tag: string; when: number }[] };
