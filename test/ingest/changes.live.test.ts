import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Changes } from "../../db/contract/changes.ts";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { historyItem } from "../../db/contract/views.ts";
import { rowsOf, type StoredRow } from "../../db/postgres/rows.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { watchedItem } from "../../db/redis/records.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import { runScript } from "../../ingest/redis.ts";
import { auditUser } from "../../ingest/views/audit.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { evict } from "../../ingest/views/evict.ts";
import { type LoadedHistory, loadHistory, loadPage } from "../../ingest/views/load.ts";
import { type Projection, project } from "../../ingest/views/project.ts";
import { anyEvent, anyPause, contents, users } from "../support/arbitraries.ts";
import { feedClient, type Readers, readersOf } from "../support/feed.ts";
import { createRing, type Ring } from "../support/ring.ts";
import { historyRow } from "../support/rows.ts";

const user = users[0] as OwnedEvent["user_id"];

/** What may happen between two looks at the feed; `poll` asks for so many changes, with more going on meanwhile. */
type Step =
  | { store: WatchEvent[] }
  | { catalogue: { content: ContentId; duration: number | null; live: boolean } }
  | { poll: number; meanwhile: Exclude<Step, { poll: number }>[] }
  | "project"
  | "mark"
  | "load"
  | "merge"
  | "finish"
  | "evict"
  | "refill";

const anyQuietStep = fc.oneof(
  {
    weight: 7,
    arbitrary: fc
      .array(fc.oneof({ weight: 14, arbitrary: anyEvent }, { weight: 1, arbitrary: anyPause }), {
        ...{ minLength: 1, maxLength: 3 },
      })
      .map((events): Exclude<Step, { poll: number }> => ({ store: events })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        content: fc.constantFrom(...contents),
        duration: fc.constantFrom(null, 600, 3_600),
        live: fc.boolean(),
      })
      .map((catalogue): Exclude<Step, { poll: number }> => ({ catalogue })),
  },
  { weight: 7, arbitrary: fc.constant("project" as const) },
  { weight: 3, arbitrary: fc.constantFrom("mark" as const, "load", "merge", "finish") },
  { weight: 1, arbitrary: fc.constant("evict" as const) },
  { weight: 1, arbitrary: fc.constant("refill" as const) },
);
const anyPoll = fc.record({
  poll: fc.integer({ min: 1, max: 4 }),
  meanwhile: fc.array(anyQuietStep, { maxLength: 3 }),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: anyQuietStep },
  { weight: 2, arbitrary: anyPoll },
);

describe.each([
  { historyLimit: 2, numRuns: 120 },
  { historyLimit: 3, numRuns: 80 },
  { historyLimit: 100, numRuns: 60 },
])("with $historyLimit items in Redis", ({ historyLimit, numRuns }) => {
  let ring: Ring;
  let readers: Readers;
  beforeAll(async () => {
    ring = await createRing({ historyLimit });
    readers = await readersOf(ring);
  });
  afterAll(async () => {
    await readers.stop();
    await ring.stop();
  });

  test("who starts from an empty list and follows the feed ends with the whole list, whatever happens", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { minLength: 5, maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 4 }),
        async (steps, choice, limit) => {
          await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, contents, plays`);
          await ring.emptyRedis();
          firstRev += 1_000;
          const life = lifeOf(ring, () => choice.next().value ?? 0);
          const client = newClient();
          for (const step of steps) {
            if (typeof step !== "object" || !("poll" in step)) await life.does(step);
            else {
              readers.doBeforePostgres(async () => {
                for (const its of step.meanwhile) await life.does(its);
              });
              await client.poll(step.poll);
            }
          }
          readers.doBeforePostgres(async () => {});
          await life.ends();

          const truth = await truthOf(ring);
          await client.catchUp(limit);
          expect(client.list()).toEqual(truth);
          expect(await readers.fullList(user)).toEqual(truth);
          expect(await auditUser({ ...ring.viewDeps, contents: contentLookup(ring.db) }, user)).toEqual([]);
          const another = newClient();
          await another.catchUp(limit);
          expect(another.list()).toEqual(truth);
        },
      ),
      { numRuns },
    );
  }, 120_000);

  test("what is cleared is told as gone at once, though many items are removed one after the other", async () => {
    await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, contents, plays`);
    await ring.emptyRedis();
    const { model, scripts } = await ring.viewDeps.index.current();
    const keys = historyKeys(user);
    const begun = [crypto.randomUUID(), 2_000];
    const [token = ""] = (await runScript(ring.redis, scripts.beginRefill, keys, begun)) as string[];
    const rows = Array.from({ length: 600 }, (_, n) => historyRow(user, `c${n}`));
    await project({ ...ring.viewDeps, historyLimit: 2_000 }, { rows, cleared: new Map() });
    await runScript(ring.redis, scripts.finishRefill, keys, [token, 0, model.prefix(user)]);
    const client = newClient();
    await client.catchUp(500);
    expect(client.list()).toHaveLength(600);

    const clear = [2_000, 0, user, model.prefix(user), rows[0]?.watched_at ?? 0, 0];
    expect(await runScript(ring.redis, scripts.applyRows, keys, clear)).toEqual([100]);
    await client.catchUp(500);
    expect(client.list()).toHaveLength(100); // their turn comes
    const another = newClient();
    await another.catchUp(500);
    expect(another.list()).toEqual([]);
    expect(await runScript(ring.redis, scripts.applyRows, keys, clear)).toEqual([0]);
    await client.catchUp(500);
    expect(client.list()).toEqual([]);
  });

  function newClient() {
    return feedClient(async (path) => (await (await readers.get(user, path)).json()) as Changes);
  }
});

/** Versions go on from run to run, as they would in one database: what a process remembers stays true. */
let firstRev = 1;

/** Turns whose projections overtake each other, refills in pieces, and a catalogue that changes. */
function lifeOf(ring: Ring, choose: () => number) {
  const committed: Projection[] = [];
  let token: string | null = null;
  let loaded: LoadedHistory | null = null;

  async function merge(): Promise<void> {
    if (loaded === null) return;
    const { shown, behind, cleared_at } = loaded;
    await project(ring.viewDeps, { rows: [...shown, ...behind], cleared: new Map([[user, cleared_at]]) });
  }

  async function does(step: Exclude<Step, { poll: number }>): Promise<void> {
    const { model, scripts } = await ring.viewDeps.index.current();
    const keys = historyKeys(user);
    if (typeof step === "object" && "catalogue" in step) {
      committed.push(await changed(ring, step.catalogue));
    } else if (typeof step === "object") {
      const owned = step.store.map((event) => ({ user_id: user, event }));
      committed.push(await ring.deps.store(fold(owned), () => owned));
    } else if (step === "project") {
      const [next] = committed.splice(choose() % Math.max(committed.length, 1), 1);
      if (next) await project({ ...ring.viewDeps, contents: contentLookup(ring.db, choose() % 2) }, next);
    } else if (step === "mark") {
      const begun = [crypto.randomUUID(), ring.historyLimit];
      [token = null] = (await runScript(ring.redis, scripts.beginRefill, keys, begun)) as [string?];
      loaded = null;
    } else if (step === "load" && token !== null) {
      loaded = await loadHistory(ring.db, user, ring.historyLimit);
    } else if (step === "merge") await merge();
    else if (step === "finish" && loaded !== null && token !== null) {
      await merge();
      await runScript(ring.redis, scripts.finishRefill, keys, [token, loaded.floor, model.prefix(user)]);
    } else if (step === "evict") await evict(ring.redis, user);
    else if (step === "refill") await ring.refill(user);
  }

  return {
    does,
    /** Everything that is committed arrives. */
    async ends(): Promise<void> {
      for (const left of committed.splice(0)) await ring.deps.project(left);
    },
  };
}

/** The catalogue changes; what it has to tell this viewer is on its way. */
async function changed(
  ring: Ring,
  { content, duration, live }: { content: ContentId; duration: number | null; live: boolean },
): Promise<Projection> {
  await ring.db.execute(sql`
    INSERT INTO contents AS c (content_id, duration, kind, rev)
    VALUES (${content}, ${duration}, ${live ? "live" : null}, ${firstRev})
    ON CONFLICT (content_id) DO UPDATE SET duration = excluded.duration, kind = excluded.kind, rev = c.rev + 1
  `);
  const rows = await ring.db.execute(
    sql`${rowsOf(sql`listitems`)} WHERE i.user_id = ${user} AND i.content_id = ${content}`,
  );
  return { rows: rows as unknown as StoredRow[], cleared: new Map() };
}

/** The whole history, as Postgres has it. */
async function truthOf(ring: Ring) {
  const rows = await loadPage(ring.db, user, { after: null, filter: null, limit: 1_000 });
  const known = await contentLookup(ring.db)(rows);
  return rows.map((row) => historyItem(watchedItem(row, known.get(row.content_id) ?? null)));
}
