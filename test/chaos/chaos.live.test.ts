import { expect, test } from "vitest";
import { unleash } from "./chaos.ts";

test("nothing accepted is lost while ingest, Redis and Postgres are killed", {
  timeout: 120_000,
}, async () => {
  const kills = { ingest: 4, redis: 2, postgres: 2 };
  const said: string[] = [];
  const outcome = await unleash({
    viewers: 20,
    minutes: 12,
    seed: "short",
    kills,
    say: (line) => said.push(line),
  });

  expect(outcome, said.join("\n")).toMatchObject({ kills: 8, users: 20, lost: 0, differences: 0 });
  expect(outcome.events).toBeGreaterThan(500);
});
