import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { beginRefill, finishRefill } from "../../db/redis/history-scripts.ts";
import { historyKeys, recordPrefix } from "../../db/redis/keys.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import type { Stored } from "../../ingest/drain/store.ts";
import { runScript } from "../../ingest/redis.ts";
import { type LoadedHistory, loadHistory } from "../../ingest/views/load.ts";
import { evict, project } from "../../ingest/views/project.ts";
import { anyEvent, contents, users } from "../support/arbitraries.ts";
import { createRing, type Ring, readView, viewsIn } from "../support/ring.ts";

let ring: Ring;
beforeAll(async () => {
  ring = await createRing({ historyLimit: 2 });
});
afterAll(async () => {
  await ring.stop();
});

const user = users[0] as OwnedEvent["user_id"];

/**
 * What may happen, cut where another process may come in between: a turn between commit and projection, a
 * refill between its mark, its read, its merge and its end; an eviction at any moment.
 */
type Step = { store: OwnedEvent[] } | "project" | "mark" | "load" | "merge" | "finish" | "evict" | "refill";

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(anyEvent, { minLength: 1, maxLength: 3 })
      .map((events) => ({ store: events.map((event) => ({ user_id: user, event })) })),
  },
  { weight: 4, arbitrary: fc.constant<Step>("project") },
  {
    weight: 8,
    arbitrary: fc.constantFrom<Step>("mark", "load", "merge", "finish"),
  },
  { weight: 2, arbitrary: fc.constant<Step>("evict") },
  { weight: 3, arbitrary: fc.constant<Step>("refill") },
);

describe("case 20: refill, turn, eviction and forget, interleaved in any order", () => {
  test("end in the same view as a rebuild, and a warm view never lies", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { minLength: 4, maxLength: 24 }),
        fc.infiniteStream(fc.nat()),
        async (steps, choice) => {
          await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
          await ring.redis.flushall();

          // Projections of different turns overtake each other: any of those committed may come next.
          const committed: Stored[] = [];
          let token: string | null = null;
          let loaded: LoadedHistory | null = null;

          for (const step of steps) {
            if (typeof step === "object") committed.push(await ring.deps.store(fold(step.store)));
            else if (step === "project") {
              const [next] = committed.splice((choice.next().value ?? 0) % Math.max(committed.length, 1), 1);
              if (next) await ring.deps.project(next);
            } else if (step === "mark") {
              const [mark] = (await runScript(ring.redis, beginRefill, historyKeys(user), [
                String(Math.random()),
              ])) as [string];
              token = mark;
              loaded = null;
            } else if (step === "load" && token !== null)
              loaded = await loadHistory(ring.db, user, ring.historyLimit);
            else if (step === "merge" && loaded !== null) await merge(loaded);
            else if (step === "finish" && loaded !== null && token !== null) {
              await merge(loaded);
              await runScript(ring.redis, finishRefill, historyKeys(user), [
                token,
                loaded.floor,
                recordPrefix(user),
              ]);
            } else if (step === "evict") await evict(ring.redis, user);
            else if (step === "refill") await ring.refill(user);
          }
          for (const left of committed) await ring.deps.project(left);

          const view = await readView(ring.redis, user);
          const expected = (await loadHistory(ring.db, user, ring.historyLimit)).shown;
          if (view !== "cold") {
            // What is shown is a head of the truth: below the floor, ingest answers.
            expect(view).toEqual(expected.slice(0, view.length).map(shown));
            const floor = Number((await ring.redis.hget(historyKeys(user)[0], "floor")) ?? 0);
            expect(expected.slice(view.length).filter((row) => row.position_at > floor)).toEqual([]);
          } else {
            await ring.refill(user);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a slow projection of an older row brings nothing back that a refill found forgotten", async () => {
    await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
    await ring.redis.flushall();
    const watched = await ring.deps.store(fold([{ user_id: user, event: heartbeatAt(1) }]));
    await ring.deps.store(fold([{ user_id: user, event: forgetAt(2) }]));
    await ring.refill(user);
    await ring.deps.project(watched);
    expect(await readView(ring.redis, user)).toEqual([]);
  });

  test("what lies below the floor stays out, so that a list has no holes", async () => {
    const three = await createRing({ historyLimit: 3 });
    try {
      const stored = (event: WatchEvent) => three.deps.store(fold([{ user_id: user, event }]));
      const seven = [
        heartbeatAt(10, "a"),
        heartbeatAt(9, "b"),
        heartbeatAt(8, "c"),
        heartbeatAt(7, "d"),
        heartbeatAt(6, "e"),
        heartbeatAt(5, "f"),
        heartbeatAt(4, "g"),
      ];
      for (const event of seven) await stored(event);
      await three.refill(user);
      for (const name of ["a", "b"]) {
        await three.deps.project(await stored(forgetAt(20, name)));
      }
      // Old events come again, those of "e" do not.
      for (const again of [heartbeatAt(5, "f"), heartbeatAt(4, "g"), heartbeatAt(7, "d")])
        await three.deps.project(await stored(again));
      const view = await readView(three.redis, user);
      const truth = (await loadHistory(three.db, user, 100)).shown.map((row) => row.content_id);
      expect(truth).toEqual(["c", "d", "e", "f", "g"]);
      expect(view === "cold" ? view : view.map((item) => item.content_id)).toEqual(["c"]);
    } finally {
      await three.stop();
    }
  });

  test("a view kept by turns equals a view rebuilt from Postgres", async () => {
    const roomy = await createRing();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyEvent, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
          async (batches) => {
            await roomy.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
            await roomy.redis.flushall();
            await roomy.refill(user);
            for (const batch of batches) {
              await roomy.deps.project(
                await roomy.deps.store(fold(batch.map((event) => ({ user_id: user, event })))),
              );
            }
            const kept = onlyShown(await viewsIn(roomy.redis));
            await evict(roomy.redis, user);
            expect(await viewsIn(roomy.redis)).toEqual({});
            await roomy.refill(user);
            expect(onlyShown(await viewsIn(roomy.redis))).toEqual(kept);
          },
        ),
        { numRuns: 150 },
      );
    } finally {
      await roomy.stop();
    }
  });
});

function heartbeatAt(occurred_at: number, content: string = contents[0] ?? ""): WatchEvent {
  return {
    type: "heartbeat",
    event_id: `e${occurred_at}`,
    occurred_at,
    content_id: content as ContentId,
    catalog_id: null,
    playback_time: 60,
    duration: 3600,
    completes: false,
    play_id: null,
    device_id: null,
  };
}

function forgetAt(occurred_at: number, content: string = contents[0] ?? ""): WatchEvent {
  return { type: "forget", event_id: `f${occurred_at}`, occurred_at, content_id: content as ContentId };
}

async function merge(loaded: LoadedHistory): Promise<void> {
  await project(
    { redis: ring.redis, historyLimit: ring.historyLimit },
    { rows: [...loaded.shown, ...loaded.forgotten], cleared: new Map([[user, loaded.cleared_at]]) },
  );
}

function shown({
  content_id,
  catalog_id,
  playback_time,
  duration,
  position_at,
  completed_at,
}: LoadedHistory["shown"][number]) {
  return { content_id, catalog_id, playback_time, duration, position_at, completed_at };
}

/** Without the revs that forgotten items leave behind: a rebuilt view has them of every forgotten row. */
function onlyShown(views: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(views).flatMap(([key, value]) => {
      if (!key.startsWith("wh:progress:")) return [[key, value]];
      const items = Object.entries(value as Record<string, string>).filter(([, packed]) =>
        packed.includes(","),
      );
      return items.length > 0 ? [[key, Object.fromEntries(items)]] : [];
    }),
  );
}
