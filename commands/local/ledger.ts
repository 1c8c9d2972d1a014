import { readFile } from "node:fs/promises";
import postgres from "postgres";

const JOURNAL = new URL("../../db/postgres/migrations/meta/_journal.json", import.meta.url);

/** The names of the migrations that a database has, oldest first. */
export async function appliedMigrations(databaseUrl: string): Promise<string[]> {
  const { entries } = JSON.parse(await readFile(JOURNAL, "utf8")) as Journal;
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [ledger] = await sql`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`;
    if (!ledger?.name) return [];
    const applied = await sql`SELECT created_at FROM drizzle.__drizzle_migrations ORDER BY id`;
    const tags = new Map(entries.map(({ when, tag }) => [when, tag]));
    return applied.map(({ created_at }) => tags.get(Number(created_at)) ?? `unknown (${created_at})`);
  } finally {
    await sql.end();
  }
}

type Journal = { entries: { tag: string; when: number }[] };
