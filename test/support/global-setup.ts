import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../../db/local/postgres.ts";
import { ensureRedis } from "../../db/local/redis-install.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import { onServer } from "./on-server.ts";

/**
 * Once per test run: one Postgres with a migrated template database that tests clone, and the
 * certainty that there is a Redis to start. TEST_DATABASE_URL names a running Postgres to use instead.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL;
  const server = given === undefined ? await startThrowaway() : { url: given, stop: async () => {} };
  const template = `playhead_template_${process.pid}_${Date.now().toString(36)}`;
  try {
    await ensureRedis();
    await createTemplate(server.url, template);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide("postgresUrl", server.url);
  project.provide("postgresTemplate", template);

  return async () => {
    if (given !== undefined) await onServer(given, (sql) => sql`DROP DATABASE ${sql(template)}`);
    await server.stop();
  };
}

async function startThrowaway(): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "playhead-postgres-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "300" };
  try {
    const server = await startPostgres({ dir: join(dir, "data"), settings });
    const stop = async () => {
      await server.stop();
      remove();
    };
    return { url: server.url, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Closed to connections once it is migrated, because a database in use cannot be cloned. */
async function createTemplate(url: string, template: string): Promise<void> {
  const own = new URL(url);
  own.pathname = template;
  await onServer(url, (sql) => sql`CREATE DATABASE ${sql(template)}`);
  await migrate(own.href);
  await onServer(url, (sql) => sql`ALTER DATABASE ${sql(template)} ALLOW_CONNECTIONS false`);
}

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
    postgresTemplate: string;
  }
}
