import { rollback } from "../db/postgres/migrate.ts";
import { run } from "./local/run.ts";
import { withDatabase } from "./local/with-database.ts";

/** `npm run rollback`: takes back the newest migration, and with it the data that only it had room for. */
await run(async () => {
  const taken = await withDatabase(process.env, rollback);
  console.log(taken === null ? "Nothing to take back." : `Took back ${taken}.`);
  return 0;
});
