import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ DATABASE_POOL: "2" });
});
afterAll(async () => {
  await world.stop();
});

const CONTENTS = Array.from({ length: 12 }, (_, n) => `match-${n}`);

test("changes that wait for those that are carried hold every connection, and neither waits for the other", async () => {
  const beats = CONTENTS.map((content_id) => ({ content_id, playback_time: 60, duration: 3_600 }));
  await world.watched("alice", ...beats);
  await world.history("alice");

  const token = { roles: ["service"] };
  const headers = { "content-type": "application/json" };
  const statuses = new Set<number>();
  await Promise.all(
    CONTENTS.map(async (content) => {
      for (let round = 0; round < 12; round++) {
        const body = JSON.stringify({ title: `${content}, ${round}`, sport: "football" });
        const answer = await world.ask(`/contents/${content}`, { method: "PUT", token, headers, body });
        statuses.add(answer.status);
      }
    }),
  );
  expect([...statuses].sort()).toEqual([200, 201]);
  await expect
    .poll(async () => (await world.history("alice", "?sport=football")).length, { timeout: 10_000 })
    .toBe(CONTENTS.length);
}, 60_000);
