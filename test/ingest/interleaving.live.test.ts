import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { watchedItem } from "../../db/redis/records.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import type { Stored } from "../../ingest/drain/store.ts";
import { runScript } from "../../ingest/redis.ts";
import { auditUser } from "../../ingest/views/audit.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { evict } from "../../ingest/views/evict.ts";
import { type LoadedHistory, loadHistory } from "../../ingest/views/load.ts";
import { project } from "../../ingest/views/project.ts";
import { anyEvent, contents, users } from "../support/arbitraries.ts";
import { createRing, onlyShown, type Ring, readView, viewsIn } from "../support/ring.ts";

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
 * refill between its mark, its read, its merge and its end; a change of the catalogue, and its way to the viewer; an
 * eviction at any moment.
 */
type Step =
  | { store: OwnedEvent[] }
  | { catalogue: Change }
  | "project"
  | "mark"
  | "load"
  | "merge"
  | "finish"
  | "evict"
  | "refill";

/** So few that most steps meet what an earlier one did. */
const FEW = contents.slice(0, 3);

function nearby(event: WatchEvent): WatchEvent {
  return "content_id" in event
    ? { ...event, content_id: FEW[contents.indexOf(event.content_id) % FEW.length] ?? event.content_id }
    : event;
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(anyEvent, { minLength: 1, maxLength: 3 })
      .map((events) => ({ store: events.map((event) => ({ user_id: user, event: nearby(event) })) })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        content: fc.constantFrom(...FEW),
        sport: fc.constantFrom("cricket", "Cricket", "football"),
        duration: fc.constantFrom(null, 600, 3_600),
        removed: fc.boolean(),
      })
      .map((catalogue) => ({ catalogue })),
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
          await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, contents`);
          await ring.emptyRedis();
          firstRev += 1_000;

          // Projections of different turns overtake each other: any of those committed may come next.
          const committed: Stored[] = [];
          const { model, scripts } = await ring.viewDeps.index.current();
          // One remembers what the catalogue said when it last looked, the other looks every time.
          const processes = [
            { ...ring.viewDeps, contents: contentLookup(ring.db) },
            { ...ring.viewDeps, contents: contentLookup(ring.db, 0) },
          ];
          let token: string | null = null;
          let loaded: LoadedHistory | null = null;

          for (const step of steps) {
            if (typeof step === "object" && "catalogue" in step)
              committed.push(await changed(step.catalogue));
            else if (typeof step === "object") committed.push(await ring.deps.store(fold(step.store)));
            else if (step === "project") {
              const [next] = committed.splice((choice.next().value ?? 0) % Math.max(committed.length, 1), 1);
              const process = processes[(choice.next().value ?? 0) % processes.length];
              if (next && process) await project(process, next);
            } else if (step === "mark") {
              const [mark] = (await runScript(ring.redis, scripts.beginRefill, historyKeys(user), [
                String(Math.random()),
                ring.historyLimit,
              ])) as [string];
              token = mark;
              loaded = null;
            } else if (step === "load" && token !== null)
              loaded = await loadHistory(ring.db, user, ring.historyLimit);
            else if (step === "merge" && loaded !== null) await merge(loaded);
            else if (step === "finish" && loaded !== null && token !== null) {
              await merge(loaded);
              await runScript(ring.redis, scripts.finishRefill, historyKeys(user), [
                token,
                loaded.floor,
                model.prefix(user),
              ]);
            } else if (step === "evict") await evict(ring.redis, user);
            else if (step === "refill") await ring.refill(user);
          }
          for (const left of committed) await ring.deps.project(left);

          const view = await readView(ring.redis, user);
          const expected = (await loadHistory(ring.db, user, ring.historyLimit)).shown;
          if (view !== "cold") {
            // What is shown is a head of the truth: below the floor, ingest answers.
            const known = await contentLookup(ring.db)(expected);
            const shown = expected.map((row) => watchedItem(row, known.get(row.content_id) ?? null));
            expect(view).toEqual(shown.slice(0, view.length));
            const fresh = { ...ring.viewDeps, contents: contentLookup(ring.db) };
            expect(await auditUser(fresh, user)).toEqual([]);
            const floor = Number((await ring.redis.hget(historyKeys(user)[0], "floor")) ?? 0);
            expect(expected.slice(view.length).filter((row) => row.watched_at > floor)).toEqual([]);
          } else {
            await ring.refill(user);
          }
        },
      ),
      { numRuns: 250 },
    );
  });

  test("a slow projection of an older row brings nothing back that a refill found forgotten", async () => {
    await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists`);
    await ring.emptyRedis();
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
            await roomy.emptyRedis();
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

/** Versions go on from run to run, as they would in one database: what a process remembers stays true. */
let firstRev = 1;

type Change = { content: ContentId; sport: string; duration: number | null; removed: boolean };

/** The catalogue changes; what it has to tell this viewer is on its way. */
async function changed({ content, sport, duration, removed }: Change): Promise<Stored> {
  const facts = removed ? [null, null] : [sport, duration];
  await ring.db.execute(sql`
    INSERT INTO contents AS c (content_id, sport, duration, removed, rev)
    VALUES (${content}, ${facts[0]}, ${facts[1]}, ${removed}, ${firstRev})
    ON CONFLICT (content_id) DO UPDATE SET sport = excluded.sport, duration = excluded.duration,
      removed = excluded.removed, rev = c.rev + 1
  `);
  const rows = await ring.db.execute(
    sql`${rowsOf(sql`listitems`)} WHERE i.user_id = ${user} AND i.content_id = ${content}`,
  );
  return { rows: rows as unknown as StoredRow[], cleared: new Map(), completions: [] };
}

async function merge(loaded: LoadedHistory): Promise<void> {
  await project(ring.viewDeps, {
    rows: [...loaded.shown, ...loaded.behind],
    cleared: new Map([[user, loaded.cleared_at]]),
  });
}
