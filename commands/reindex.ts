import { warmUsers } from "../db/redis/keys.ts";
import { renewSearchIndex } from "../ingest/views/history-index.ts";
import { rebuild } from "../ingest/views/rebuild.ts";
import { refiller } from "../ingest/views/refill.ts";
import { usersInRedis } from "../ingest/views/users.ts";
import { run } from "./local/run.ts";
import { forEach, withViews } from "./local/with-views.ts";

/**
 * `npm run reindex`: makes the dimensional index anew, in the model of HISTORY_INDEX, while everything runs. Whoever is
 * read before being reindexed is refilled then.
 */
await run(async () => {
  await withViews(process.env, async (views) => {
    const { redis, wanted } = views;
    const model = await renewSearchIndex(redis, wanted);
    const refill = refiller(views);
    const total = await redis.zcard(warmUsers);
    await forEach("reindex", { total, users: usersInRedis(redis) }, (user) => rebuild(redis, refill, user));
    console.log(`${total} users reindexed: ${model}`);
  });
  return 0;
});
