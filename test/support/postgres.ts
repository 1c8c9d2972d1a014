import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { onServer } from "./on-server.ts";

/**
 * A database of its own for one test file, cloned from the migrated template, so it takes
 * milliseconds and no other test sees it. Clones may be made concurrently: nobody can connect to
 * the template, so nothing ever holds it.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  return await createFrom(inject("postgresTemplate"));
}

/** One without any table of ours. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return await createFrom("template0");
}

async function createFrom(template: string): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `t_${randomBytes(6).toString("hex")}`;
  const url = new URL(server);
  url.pathname = name;

  await onServer(server, (sql) => sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`);
  return {
    url: url.href,
    drop: () => onServer(server, (sql) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`),
  };
}

export type TestDatabase = {
  url: string;
  /** Throws everybody out and removes it. */
  drop(): Promise<void>;
};
