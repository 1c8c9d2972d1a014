import { rebuild } from "../ingest/views/rebuild.ts";
import { refiller } from "../ingest/views/refill.ts";
import { run } from "./local/run.ts";
import { forUsers, withViews } from "./local/with-views.ts";

/** `npm run rebuild [-- USER...]`: makes the Redis views anew from Postgres, while everything runs. */
await run(async () => {
  const users = await withViews(process.env, async (views) => {
    const refill = refiller(views);
    return await forUsers("rebuild", views.db, process.argv.slice(2), (user) =>
      rebuild(views.redis, refill, user),
    );
  });
  console.log(`${users} users rebuilt`);
  return 0;
});
