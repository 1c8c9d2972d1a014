import { startPostgres } from "../../db/local/postgres.ts";
import { startRedis } from "../../db/local/redis.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import type { Site, Stores } from "./bring-up.ts";
import { storePart } from "./part.ts";
import { postgresDir } from "./paths.ts";
import { messageOf } from "./run.ts";
import { redisDir, rememberRedis } from "./with-redis.ts";

/** The stores that were given, and embedded ones for the others; the database with its newest schema. */
export async function bringUpStores(site: Site): Promise<Stores> {
  const { settings, crew, say } = site;
  const databaseUrl = settings.databaseUrl ?? (await ownPostgres(site));
  say(settings.databaseUrl ? "PostgreSQL: the one given by DATABASE_URL" : "PostgreSQL is up");
  crew.over.throwIfAborted();

  const redisUrl = settings.redisUrl ?? (await ownRedis(site));
  say(settings.redisUrl ? "Redis: the one given by REDIS_URL" : "Redis is up");
  crew.over.throwIfAborted();

  try {
    await migrate(databaseUrl);
  } catch (cause) {
    throw new Error(`The database could not be migrated: ${messageOf(cause)}`, { cause });
  }
  say("The database has its newest schema");
  return { databaseUrl, redisUrl };
}

async function ownPostgres({ crew, env }: Site): Promise<string> {
  const store = await startPostgres({ dir: postgresDir(env) });
  crew.join(storePart("PostgreSQL", store));
  return store.url;
}

async function ownRedis({ crew, settings }: Site): Promise<string> {
  const store = await startRedis({ dir: redisDir(settings.dataDir) });
  rememberRedis(settings.dataDir, store.url);
  crew.join(storePart("Redis", store));
  return store.url;
}
