import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { Database } from "../../db/postgres/connect.ts";

/**
 * Wherever a user is named: in any column of any table, in any key, field or value of Redis, as text or as hex. It knows
 * nothing of what there is, so that it finds what everybody forgot. The id should be one that nothing else contains.
 */
export async function tracesOf(
  user: string,
  { db, redis }: { db: Database; redis: readonly Redis[] },
): Promise<string[]> {
  const names = [user, Buffer.from(user).toString("hex")];
  const found = await tracesInPostgres(db, names);
  for (const one of redis) found.push(...(await tracesInRedis(one, names)));
  return found.sort();
}

async function tracesInPostgres(db: Database, names: readonly string[]): Promise<string[]> {
  const tables = (await db.execute(sql`
    SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
  `)) as unknown as { schema: string; name: string }[];
  const found: string[] = [];
  for (const { schema, name } of tables) {
    const columns = (await db.execute(sql`
      SELECT column_name AS name FROM information_schema.columns WHERE table_schema = ${schema} AND table_name = ${name}
    `)) as unknown as { name: string }[];
    for (const column of columns) {
      const tests = names.map((its) => sql`position(${its} IN ${sql.identifier(column.name)}::text) > 0`);
      const rows = (await db.execute(sql`
        SELECT ${sql.identifier(column.name)}::text AS value
        FROM ${sql.identifier(schema)}.${sql.identifier(name)} WHERE ${sql.join(tests, sql` OR `)} LIMIT 5
      `)) as unknown as { value: string }[];
      for (const { value } of rows) found.push(`${name}.${column.name}: ${value}`);
    }
  }
  return found;
}

async function tracesInRedis(redis: Redis, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of redis.scanStream({ count: 1_000 })) {
    for (const key of keys as string[]) {
      const text = JSON.stringify([key, await heldBy(redis, key)]);
      if (names.some((its) => text.includes(its))) found.push(`redis ${text.slice(0, 2_000)}`);
    }
  }
  return found;
}

async function heldBy(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "string":
      return await redis.get(key);
    case "hash":
      return await redis.hgetall(key);
    case "list":
      return await redis.lrange(key, 0, -1);
    case "set":
      return await redis.smembers(key);
    case "zset":
      return await redis.zrange(key, 0, -1);
    case "stream":
      return [await redis.xrange(key, "-", "+"), await redis.call("XINFO", "STREAM", key, "FULL")];
    case "none":
      return null;
    default: // of a module
      return (await redis.dumpBuffer(key))?.toString("latin1");
  }
}
