import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { signToken } from "../../commands/local/sign-token.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { connect } from "../../db/postgres/connect.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { countsOf, drainedUpToNow, finishedErasures, lifeOf } from "../support/lives.ts";
import { startStack } from "../support/stack.ts";
import { tracesOf } from "../support/traces-of.ts";
import { until } from "../support/until.ts";

test("an ingest that is killed after the mark, in the middle of everything: another one finishes", async () => {
  const env = { RATE_LIMIT_PER_MINUTE: "0", HISTORY_INDEX: "sorted-sets", RECLAIM_AFTER: "1000" };
  const stack = await startStack({ ingests: 2, env });
  const { db, close } = connect(stack.postgres.url, { max: 3 });
  const redis = connectRedis(stack.redis.url);
  const over = new AbortController();
  const user = "somebody-who-is-to-be-erased" as UserId;
  const [first, second] = stack.ingests;
  try {
    const token = await signToken({ secret: stack.secret, user, env: {} });
    const ask = async (path: string, init: RequestInit & { at?: string } = {}) => {
      const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
      try {
        return await fetch(`${init.at ?? stack.edge.url}${path}`, { ...init, headers });
      } catch {
        return new Response(null, { status: 503 }); // nobody is there
      }
    };
    const places = [stack.edge.url, second?.url ?? ""];
    const its = lifeOf({ ask, redis } as Parameters<typeof lifeOf>[0], user, places);
    await its.once();
    await drainedUpToNow(redis);
    const going = its.go(over.signal);

    // It waits in the middle of the rows, and its process dies there.
    await db.transaction(async (holder) => {
      await holder.execute(sql`LOCK TABLE history_users IN EXCLUSIVE MODE`);
      const answer = ask(`/profiles/${user}`, { method: "DELETE", at: first?.url ?? "" });
      await until(async () => {
        const waiting = await db.execute(sql`
          SELECT FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM "history_users"%'`);
        return waiting.length > 0;
      });
      expect(await db.execute(sql`SELECT FROM erased WHERE passes = 0`)).toHaveLength(1);
      await first?.kill();
      expect((await answer).status).toBe(503);
    });
    expect(await tracesOf(user, { db, redis: [redis] })).not.toEqual([]);
    // What the dead one held is due at once.
    await db.execute(sql`UPDATE erased SET due_at = 0`);
    await until(async () => (await db.execute(sql`SELECT FROM erased WHERE passes > 0`)).length === 1, {
      timeout: 30_000,
    });
    over.abort();
    await going;
    await drainedUpToNow(redis);
    await finishedErasures(db);
    expect(await tracesOf(user, { db, redis: [redis] })).toEqual([]);
    const { counted, scanned } = await countsOf(db);
    expect(counted).toEqual(scanned);
  } finally {
    over.abort();
    redis.disconnect();
    await close();
    await stack.stop();
  }
}, 120_000);
