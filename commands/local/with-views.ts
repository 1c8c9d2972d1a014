import * as z from "zod";
import { UserId } from "../../db/contract/ids.ts";
import { readEnvironment } from "../../db/environment.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { isErased } from "../../db/postgres/erased.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import { Environment, viewVariables } from "../../ingest/config.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { userHash } from "../../ingest/privacy/user-hash.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import type { RefillDeps } from "../../ingest/views/refill.ts";
import { countUsers, historyUsers } from "../../ingest/views/users.ts";
import { warmSet } from "../../ingest/views/warm-set.ts";
import { progressBar } from "../progress.ts";
import type { Env } from "./paths.ts";
import { withDatabase } from "./with-database.ts";
import { withRedis } from "./with-redis.ts";

const { DATABASE_URL, REDIS_URL, ERASURE_KEY, AUTH_SECRET } = Environment.shape;
const Wanted = z.object({
  ...{ ...viewVariables, DATABASE_URL, REDIS_URL: REDIS_URL.optional(), ERASURE_KEY, AUTH_SECRET },
});

/** Both stores of the views, and what projects into them. */
export type Views = RefillDeps & { wanted: ModelName | "auto" };

/** Works on both stores and lets go of them. @throws when one of them would be ours and the other the caller's. */
export async function withViews<T>(env: Env, work: (views: Views) => Promise<T>): Promise<T> {
  if (!env.DATABASE_URL !== !env.REDIS_URL) throw new Error("set DATABASE_URL and REDIS_URL, or neither");
  const its = readEnvironment(Wanted, env);
  const { HISTORY_LIMIT: historyLimit, HISTORY_INDEX: wanted } = its;
  // Nothing but the user's own reads would ask for somebody who was erased; where the key is known nobody can.
  const key = its.ERASURE_KEY ?? its.AUTH_SECRET;
  const hashOf = key === undefined ? null : userHash(key);
  const log = createLog("warn");
  return await withDatabase(env, (databaseUrl) =>
    withRedis(env, async (redisUrl) => {
      const { db, close } = connect(databaseUrl, { max: 4 });
      const redis = connectRedis(redisUrl);
      try {
        const index = historyIndexOn(redis, wanted, log);
        const warm = warmSet({ redis, clock: Date.now, log });
        const isErasedUser = async (user: UserId) => hashOf !== null && (await isErased(db, user, hashOf));
        return await work({
          ...{ db, redis, wanted, log, historyLimit, index, warm },
          contents: contentLookup(db),
          isErased: isErasedUser,
        });
      } finally {
        redis.disconnect();
        await close();
      }
    }),
  );
}

/** Does something for the users that were named, or for everybody who has a history, and shows how far it is. */
export async function forUsers(
  what: string,
  db: Database,
  named: readonly string[],
  work: (user: UserId) => Promise<void>,
): Promise<number> {
  const users = named.map(userNamed);
  const total = users.length > 0 ? users.length : await countUsers(db);
  await forEach(what, { total, users: users.length > 0 ? users : historyUsers(db) }, work);
  return total;
}

/** Does something for one user after the other, and shows how far it is. */
export async function forEach(
  what: string,
  { total, users }: { total: number; users: Iterable<UserId> | AsyncIterable<UserId> },
  work: (user: UserId) => Promise<void>,
): Promise<void> {
  const bar = progressBar(what, total);
  for await (const user of users) {
    await work(user);
    bar.advance();
  }
  bar.end();
}

function userNamed(name: string): UserId {
  const user = UserId.safeParse(name);
  if (!user.success) throw new Error(`${name} is no user id`);
  return user.data;
}
