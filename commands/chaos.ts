import { outcomeLine, unleash } from "../test/chaos/chaos.ts";
import { run } from "./local/run.ts";

/** `npm run chaos [SEED]`: 20 deaths of ingest, 5 of Redis, 5 of Postgres, under traffic; exit code 1 if it shows. */
await run(async () => {
  const outcome = await unleash({
    viewers: 200,
    minutes: 60,
    seed: process.argv[2] ?? "1",
    kills: { ingest: 20, redis: 5, postgres: 5 },
    say: console.log,
  });
  console.log(outcomeLine(outcome));
  return outcome.lost === 0 && outcome.differences === 0 ? 0 : 1;
});
