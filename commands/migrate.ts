import { migrate } from "../db/postgres/migrate.ts";
import { appliedMigrations } from "./local/ledger.ts";
import { run } from "./local/run.ts";
import { withDatabase } from "./local/with-database.ts";

/** `npm run migrate`: applies the migrations that are missing and names them. */
await run(async () => {
  const applied = await withDatabase(process.env, async (url) => {
    const before = await appliedMigrations(url);
    await migrate(url);
    return (await appliedMigrations(url)).slice(before.length);
  });
  console.log(applied.length === 0 ? "Nothing to apply." : `Applied ${applied.join(", ")}.`);
  return 0;
});
