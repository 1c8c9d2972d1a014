import type { Redis } from "ioredis";
import * as z from "zod";
import { UserId } from "../../db/contract/ids.ts";
import { readEnvironment } from "../../db/environment.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { viewVariables } from "../../ingest/config.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { countUsers, historyUsers } from "../../ingest/views/users.ts";
import { progressBar } from "../progress.ts";
import type { Env } from "./paths.ts";
import { withDatabase } from "./with-database.ts";
import { withRedis } from "./with-redis.ts";

/** Both stores of the views, and whom to work on. */
export type Views = { db: Database; redis: Redis; historyLimit: number };

/** Works on both stores and lets go of them. @throws when one of them would be ours and the other the caller's. */
export async function withViews<T>(env: Env, work: (views: Views) => Promise<T>): Promise<T> {
  if (!env.DATABASE_URL !== !env.REDIS_URL) throw new Error("set DATABASE_URL and REDIS_URL, or neither");
  const { HISTORY_LIMIT: historyLimit } = readEnvironment(z.object(viewVariables), env);
  return await withDatabase(env, (databaseUrl) =>
    withRedis(env, async (redisUrl) => {
      const { db, close } = connect(databaseUrl, { max: 4 });
      const redis = connectRedis(redisUrl);
      try {
        return await work({ db, redis, historyLimit });
      } finally {
        redis.disconnect();
        await close();
      }
    }),
  );
}

/** Does something for the users that were named, or for everybody, and shows how far it is. */
export async function forUsers(
  what: string,
  db: Database,
  named: readonly string[],
  work: (user: UserId) => Promise<void>,
): Promise<number> {
  const users = named.map(userNamed);
  const total = users.length > 0 ? users.length : await countUsers(db);
  const bar = progressBar(what, total);
  for await (const user of users.length > 0 ? users : historyUsers(db)) {
    await work(user);
    bar.advance();
  }
  bar.end();
  return total;
}

function userNamed(name: string): UserId {
  const user = UserId.safeParse(name);
  if (!user.success) throw new Error(`${name} is no user id`);
  return user.data;
}
