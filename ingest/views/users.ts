import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import { warmUsers } from "../../db/redis/keys.ts";

const PAGE = 1_000;

/** Everybody whose views may be in Redis, in no order; who becomes warm meanwhile may or may not be among them. */
export async function* usersInRedis(redis: Redis): AsyncGenerator<UserId> {
  let cursor = "0";
  do {
    const [next, members] = await redis.zscan(warmUsers, cursor, "COUNT", PAGE);
    cursor = next;
    for (const [at, member] of members.entries()) if (at % 2 === 0) yield member as UserId;
  } while (cursor !== "0");
}

export async function countUsers(db: Database): Promise<number> {
  const rows = await db.execute(sql`SELECT count(*) AS users FROM playlists WHERE name = ${WATCH_HISTORY}`);
  return (rows as unknown as { users: number }[])[0]?.users ?? 0;
}

/** Everybody who has a history, in the order of their ids, a page at a time. */
export async function* historyUsers(db: Database): AsyncGenerator<UserId> {
  let last = "";
  for (;;) {
    const rows = await db.execute(sql`
      SELECT user_id FROM playlists WHERE name = ${WATCH_HISTORY} AND user_id > ${last}
      ORDER BY user_id LIMIT ${PAGE}
    `);
    const users = (rows as unknown as { user_id: UserId }[]).map(({ user_id }) => user_id);
    yield* users;
    if (users.length < PAGE) return;
    last = users.at(-1) ?? last;
  }
}
