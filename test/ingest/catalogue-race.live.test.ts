import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ContentInput } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { fold } from "../../ingest/drain/fold.ts";
import { storeContents } from "../../ingest/library/store-contents.ts";
import { carryPage } from "../../ingest/views/carry-page.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { type Projection, project } from "../../ingest/views/project.ts";
import { isWaiting } from "../support/connections.ts";
import { askedOf } from "../support/indexed.ts";
import { createRing, type Ring } from "../support/ring.ts";
import { until } from "../support/until.ts";

/** Case 21: the catalogue changes at the very moment in which somebody watches. */

const alice = "alice" as UserId;
const bob = "bob" as UserId;
/** Another content for every test: what is remembered of one outlives a TRUNCATE. */
let x: ContentId;
let tests = 0;

let ring: Ring;
beforeAll(async () => {
  ring = await createRing();
});
beforeEach(async () => {
  x = `content-${++tests}` as ContentId;
  await ring.db.execute(sql`TRUNCATE listitems, history_users, playlists, contents, content_changes`);
  await ring.emptyRedis();
});
afterAll(() => ring.stop());

const put = (sport: string) => storeContents(ring.db, [{ content_id: x, ...ContentInput.parse({ sport }) }]);
const watch = (user_id = alice) => ring.deps.store(fold([{ user_id, event: heartbeat() }]));
const found = (sport: string) => askedOf(ring.viewDeps).found("alice", { sport });
/** By another ingest than the one that stores: what one remembers of the catalogue, the other does not. */
async function carryAll() {
  const deps = { ...ring.viewDeps, contents: contentLookup(ring.db) };
  const carrying = {
    db: ring.db,
    project: async (projection: Projection) => void (await project(deps, projection)),
    catalogueMoved: async () => {},
  };
  while ((await carryPage(carrying)).taken > 0);
}

/** Holds a turn between the snapshot that it reads by and its commit, while something happens. */
async function whileStoring(happens: () => Promise<unknown>) {
  const hold = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holder = ring.db.transaction(async (tx) => {
    await tx.execute(
      sql`INSERT INTO listitems (user_id, playlist, content_id) VALUES (${alice}, 'watchhistory', ${x})`,
    );
    held.resolve();
    await hold.promise;
    tx.rollback();
  });
  await held.promise;
  const storing = watch();
  await until(() => isWaiting(ring.database, "transactionid"));
  await happens();
  hold.resolve();
  await holder.catch(() => {});
  await ring.deps.project(await storing);
}

describe("a content that changes while its first heartbeat is stored", () => {
  test.each([
    ["is learnt of", async () => {}],
    ["is changed", async () => void (await put("darts"))],
  ])("%s: the item ends with what the catalogue says", async (_, before) => {
    await before();
    await carryAll();
    await ring.refill(alice);
    await ring.refill(bob);
    await ring.deps.project(await watch(bob));
    await whileStoring(async () => {
      await put("cricket");
      await carryAll();
    });
    await carryAll();
    expect(await found("cricket")).toEqual([x]);
    expect(await found("darts")).toEqual([]);
  });
});

test("an item that was watched before ends with what the catalogue says, too", async () => {
  await ring.refill(alice);
  await ring.deps.project(await watch());
  await put("cricket");
  await carryAll();
  expect(await found("cricket")).toEqual([x]);
  const stored = await watch();
  await put("golf");
  await carryAll();
  await ring.deps.project(stored);
  expect(await found("golf")).toEqual([x]);
  expect(await found("cricket")).toEqual([]);
});

test("what is remembered of a content is as it was, and is loaded again once it is not", async () => {
  const lookUp = contentLookup(ring.db);
  const sport = async () => (await lookUp([{ content_id: x }])).get(x)?.sport;
  expect(await sport()).toBeUndefined();
  await put("darts");
  expect(await sport()).toBe("darts");
  await ring.db.execute(sql`UPDATE contents SET sport = 'no new version'`);
  expect(await sport()).toBe("darts");
  await put("cricket");
  expect(await sport()).toBe("cricket");
});

let beats = 0;
function heartbeat() {
  return {
    ...{ type: "heartbeat" as const, event_id: `e${++beats}`, occurred_at: 1_700_000_000_000 + beats },
    ...{ content_id: x, catalog_id: null, playback_time: 60, duration: 3_600 },
    ...{ completes: false, play_id: null, device_id: null },
  };
}
