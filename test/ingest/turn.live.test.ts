import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { backlogKey } from "../../db/redis/keys.ts";
import { append, createRing, isSettled, type Ring, readView } from "../support/ring.ts";

let ring: Ring;
beforeAll(async () => {
  ring = await createRing();
});
afterAll(async () => {
  await ring.stop();
});

const T0 = 1_700_000_000_000;

function heartbeat(content: string, at: number): WatchEvent {
  return {
    type: "heartbeat",
    event_id: `e${at}`,
    occurred_at: T0 + at,
    content_id: content as ContentId,
    catalog_id: null,
    playback_time: at,
    duration: 3600,
    completes: false,
    play_id: null,
    device_id: null,
  };
}

test("a turn of several parts stores and shows everything, clears whom it should, and sets aside one event alone", async () => {
  await ring.db.execute(sql`ALTER TABLE listitems ADD CONSTRAINT no_poison CHECK (content_id <> 'poison')`);
  const users = Array.from({ length: 500 }, (_, n) => `viewer-${n}` as UserId);
  for (const user of users.slice(0, 3)) await ring.refill(user);
  const statements: number[] = [];

  for (const [n, user] of users.entries()) {
    const events = Array.from({ length: 5 }, (_, item) => heartbeat(`m${item}`, 10 + item));
    if (n === 250) events.push(heartbeat("poison", 20));
    if (n === 1) events.push({ type: "clear", event_id: "c", occurred_at: T0 + 12 });
    await append(ring.stream, user, events);
  }
  await append(ring.stream, "only-clears", [{ type: "clear", event_id: "c", occurred_at: T0 + 1 }]);
  await ring.turnOnce({
    store: async (folded) => {
      statements.push(folded.items.length);
      return await ring.deps.store(folded);
    },
  });

  // 2,501 rows in parts of 1,000, cut between users; the part with the poison again and again, halved.
  expect(statements.filter((rows) => rows >= 1_000).length).toBeGreaterThanOrEqual(2);
  const [stored] = (await ring.db.execute(sql`SELECT count(*) AS rows FROM watch_history`)) as unknown as [
    { rows: number },
  ];
  expect(stored).toEqual({ rows: 2_500 - 3 });
  expect(await isSettled(ring.redis)).toBe(true);
  expect(await ring.redis.get(backlogKey)).toBeNull();

  const contentsOf = async (user: UserId | undefined) => {
    const view = await readView(ring.redis, user as UserId);
    return view === "cold" ? view : view.map((item) => item.content_id);
  };
  expect(await contentsOf(users[0])).toEqual(["m4", "m3", "m2", "m1", "m0"]);
  expect(await contentsOf(users[1])).toEqual(["m4", "m3"]);
  expect(await contentsOf(users[3])).toBe("cold");

  const [poison, ...more] = await ring.stream.quarantined(10);
  expect(more).toEqual([]);
  expect(poison?.reason).toContain("no_poison");
  expect(JSON.parse(poison?.payload ?? "")).toMatchObject([
    { user_id: "viewer-250", events: [{ content_id: "poison" }] },
  ]);
  const [marks] = (await ring.db.execute(sql`SELECT count(*) AS users FROM history_users`)) as unknown as [
    { users: number },
  ];
  expect(marks).toEqual({ users: 2 });
});
