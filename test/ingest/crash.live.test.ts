import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backlogKey, eventStream } from "../../db/redis/keys.ts";
import type { TurnDeps } from "../../ingest/drain/turn.ts";
import { anyOwnedEvent, users } from "../support/arbitraries.ts";
import { append, createRing, onlyShown, type Ring, viewsIn } from "../support/ring.ts";
import { published } from "../support/sessions.ts";

let ring: Ring;
beforeAll(async () => {
  ring = await createRing();
});
afterAll(async () => {
  await ring.stop();
});

/** The process stops before or after a step; a signal tells the turn not to try again. */
const STOPS = [
  "before store",
  "after store",
  "before project",
  "after project",
  "before publish",
  "after publish",
  "before settle",
  "after settle",
] as const;

describe("case 26: a stop after every step of a turn", () => {
  for (const stop of STOPS) {
    test(`${stop}: a new start ends in the same Postgres and the same Redis as no stop`, async () => {
      const anyBatches = fc.array(fc.array(anyOwnedEvent, { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(anyBatches, async (batches) => {
          await empty();
          for (const batch of batches) await deliver(batch);
          const undisturbed = await everything();

          await empty();
          for (const batch of batches) await deliver(batch, stop);
          expect(await everything()).toEqual(undisturbed);
        }),
        { numRuns: 25 },
      );
    });
  }
});

async function deliver(batch: Batch, stop?: (typeof STOPS)[number]) {
  for (const { user_id, event } of batch) await append(ring.stream, user_id, [event]);
  if (stop === undefined) {
    await ring.turnOnce();
    return;
  }
  const dying = new AbortController();
  await expect(ring.turnOnce(stopping(stop, dying), dying.signal)).rejects.toThrow("the process stops");
  await ring.turnAgain();
}

function stopping(stop: (typeof STOPS)[number], dying: AbortController): Partial<TurnDeps> {
  const [when, step] = stop.split(" ") as ["before" | "after", "store" | "project" | "publish" | "settle"];
  const real: (...args: never[]) => Promise<unknown> = ring.deps[step];
  return {
    [step]: async (...args: never[]) => {
      if (when === "after") await real(...args);
      dying.abort();
      throw new Error("the process stops");
    },
  };
}

async function empty(): Promise<void> {
  await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, plays, content_rollups`);
  await ring.emptyRedis();
  for (const user of users) await ring.refill(user);
}

async function everything(): Promise<unknown> {
  expect(await ring.redis.xlen(eventStream)).toBe(0);
  expect(await ring.redis.get(backlogKey)).toBeNull();
  const rows = await ring.db.execute(sql`
    SELECT user_id, content_id, playback_time, position_at, position_event_id, duration, duration_at, catalog_id,
      catalog_at, completed_at, marked, marked_at, dismissed, dismissed_at, deleted_at, rev
    FROM listitems ORDER BY user_id, content_id`);
  const clears = await ring.db.execute(sql`SELECT * FROM history_users ORDER BY user_id`);
  const plays = await ring.db.execute(sql`
    SELECT user_id, content_id, play_id, started_at, completed_at, reached FROM plays
    ORDER BY user_id, content_id, play_id`);
  const rollups = await ring.db.execute(sql`SELECT * FROM content_rollups ORDER BY content_id, measure`);
  const lists = await ring.db.execute(sql`SELECT user_id, name FROM playlists ORDER BY user_id`);
  return {
    rows: [...rows],
    clears: [...clears],
    plays: [...plays],
    rollups: [...rollups],
    lists: [...lists],
    views: onlyShown(await viewsIn(ring.redis)),
    told: await told(),
  };
}

/**
 * What a consumer that goes by ids has learned of whom: not when, where nobody knows that any more, and of a completion
 * only that there was one, for an earlier one of the same play may become known.
 */
async function told(): Promise<Record<string, unknown>> {
  const events = (await published(ring.redis)).map(({ id, type, time, data }) => {
    const update = { data, time: id.endsWith("/0") ? null : time };
    return [id, type === "HistoryUpdated" ? update : type] as const;
  });
  const byId = Object.fromEntries(events);
  // What is told again says the same.
  for (const [id, event] of events) expect(event).toEqual(byId[id]);
  return byId;
}

type Batch = { user_id: string; event: Parameters<typeof append>[2][number] }[];
