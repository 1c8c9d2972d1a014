import { auditUser, type Difference } from "../ingest/views/audit.ts";
import { run } from "./local/run.ts";
import { forUsers, withViews } from "./local/with-views.ts";

/** `npm run audit [-- USER...]`: compares the Redis views with Postgres, prints what differs, changes nothing. */
await run(async () => {
  const differences: Difference[] = [];
  let cold = 0;
  const users = await withViews(
    process.env,
    async (views) =>
      await forUsers("audit", views.db, process.argv.slice(2), async (user) => {
        const found = await auditUser(views, user);
        if (found === null) cold++;
        else differences.push(...found);
      }),
  );
  for (const { user, content, what, postgres, redis } of differences) {
    console.log(`${user} ${content} ${what}\n  postgres ${postgres ?? "-"}\n  redis    ${redis ?? "-"}`);
  }
  console.log(`${users} users, ${cold} of them cold, ${differences.length} differences`);
  return differences.length === 0 ? 0 : 1;
});
