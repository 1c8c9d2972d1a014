import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "../../db/contract/contents.ts";
import { continueWatching } from "../../db/contract/continue-watching.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { newestFirst } from "../../db/contract/pages.ts";
import type { Narrowed } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { continueArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { recordView, watchedItem } from "../../db/redis/records.ts";
import { foundNarrowed } from "../../db/redis/replies.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { runScript } from "../../ingest/redis.ts";
import { createIndexed, type Indexed } from "../support/indexed.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const alice = "alice" as UserId;
const START = Date.UTC(2026, 0, 1);

/** Instants are few, so that watching, marking, finishing and dismissing often happen at the same one. */
const anyStamp = fc.constantFrom(START, START + 1, START + 2);
const seldom = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, anyStamp);

const anyRow = fc
  .record({
    position_at: fc.oneof({ weight: 9, arbitrary: anyStamp }, fc.constant(0)),
    ...{ marked_at: seldom, marked: fc.boolean(), dismissed_at: seldom, completed_at: seldom },
    playback_time: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(30, 30.000_001, 60, 94.9, 95) },
      fc.constantFrom(0, 29.999, 95.000_01, 100, 1e-7, 1e8),
      fc.double({ min: 0, max: 130, noNaN: true }).map(Math.abs),
    ),
    duration: fc.constantFrom(null, 0, 31, 100, 100, 100.5, 1e8),
  })
  .map(({ position_at, marked_at, marked, dismissed_at, ...row }) => ({
    ...row,
    watched_at: Math.max(position_at, marked ? marked_at : 0),
    said:
      Math.max(marked_at, dismissed_at) > 0
        ? ([position_at, marked_at, marked ? 1 : 0, dismissed_at] as HistoryRow["said"])
        : null,
    catalog_id: null as string | null,
  }));

const anyContent = fc.record({
  known: fc.boolean(),
  removed: fc.boolean(),
  kind: fc.constantFrom(null, null, "movie" as const, "live" as const),
  duration: fc.constantFrom(null, 0, 100, 600),
  credits_at: fc.constantFrom(null, null, null, 0, 29, 60, 95),
  show: fc.constantFrom(null, "The Show", "The Show", "the show", 'Ü, "x" \\ \n]]', "1"),
  title: fc.constantFrom(null, "A title with ],[ in it"),
});

const IDS = ["a", "A", "b", "c:1", "c:2", "~", "1", "11", "z", "Z", "-", "_"];
const anyHistory = fc.array(fc.tuple(anyRow, anyContent), { minLength: 1, maxLength: IDS.length });

describe.each(MODELS)("what to continue, by %s", (model) => {
  let indexed: Indexed;
  beforeAll(async () => {
    indexed = await createIndexed(model);
  });
  afterAll(() => indexed.stop());

  async function ask(limit: number, known = "") {
    const { model: its, scripts } = await indexed.index.current();
    const args = continueArguments(its, alice, limit, known);
    return foundNarrowed(await runScript(indexed.redis, scripts.continueWatching, historyKeys(alice), args));
  }

  async function idsOf(limit: number): Promise<string[]> {
    const seen = await ask(limit);
    if (seen.state !== "page") throw new Error(seen.state);
    return seen.found.map(({ progress }) => progress.content_id);
  }

  const complete = async (limit: number) => {
    const seen = await ask(limit);
    return seen.state === "page" && seen.complete;
  };

  test("the script finds what the rule says, no more and no less", async () => {
    let most = 0;
    await fc.assert(
      fc.asyncProperty(anyHistory, fc.integer({ min: 1, max: 6 }), async (history, limit) => {
        const rows = history.map(([its], n) => historyRow("alice", IDS[n] ?? "", its));
        const catalogue = history.flatMap(([, { known, ...its }], n) =>
          known ? [contentOf(IDS[n] ?? "", its)] : [],
        );
        await indexed.evict("alice");
        await indexed.warm("alice", rows, { catalogue });
        const items = narrowed(
          rows.filter((row) => row.watched_at > 0),
          catalogue,
        );
        const expected = continueWatching(items, limit);
        most = Math.max(most, expected.length);
        expect(await idsOf(limit)).toEqual(expected.map((entry) => entry.content_id));
        const seen = await ask(limit);
        expect(seen.state === "page" && continueWatching(seen.found, limit)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    expect(most).toBeGreaterThan(1);
  });

  const BOUNDARIES: [what: string, row: Partial<HistoryRow>, content: Partial<Content>, shown: boolean][] = [
    ["a little less than half a minute", { playback_time: 29.999 }, {}, false],
    ["half a minute", { playback_time: 30 }, {}, true],
    ["95 %", { playback_time: 95, duration: 100 }, {}, true],
    ["a little more than 95 %", { playback_time: 95.000_01, duration: 100 }, {}, false],
    ["an unknown duration", { duration: null }, {}, false],
    ["a duration that the catalogue knows", { duration: null }, { duration: 5_400 }, true],
    ["a duration of 0", { duration: 0 }, { duration: 5_400 }, false],
    ["the credits reached", { playback_time: 600 }, { credits_at: 600 }, true],
    ["past the credits", { playback_time: 600.001 }, { credits_at: 600 }, false],
    ["a live stream", {}, { kind: "live" }, false],
    ["completed at the same instant", { completed_at: START }, {}, false],
    ["completed before", { completed_at: START - 1 }, {}, true],
    ["marked at the same instant", { said: [START, START, 1, 0] }, {}, false],
    ["unmarked at the same instant", { said: [START, START, 0, 0] }, {}, false],
    ["marked before", { said: [START, START - 1, 1, 0] }, {}, true],
    ["dismissed at the same instant", { said: [START, 0, 0, START] }, {}, false],
    ["dismissed before", { said: [START, 0, 0, START - 1] }, {}, true],
  ];
  test.each(BOUNDARIES)("%s", async (_, row, content, shown) => {
    await indexed.evict("alice");
    const its = { watched_at: START, ...row };
    await indexed.warm("alice", [historyRow("alice", "a", its)], { catalogue: [contentOf("a", content)] });
    expect(await idsOf(20)).toEqual(shown ? ["a"] : []);
  });

  test("a show whose entry is dismissed is hidden, and no older episode comes up", async () => {
    const rows = [1, 2, 3].map((n) =>
      historyRow("alice", `e${n}`, {
        watched_at: START + n,
        ...(n === 2 ? { said: [START + n, 0, 0, START + 9] } : {}),
      }),
    );
    const catalogue = ["e1", "e2"].map((id) => contentOf(id, { show: "S" }));
    await indexed.evict("alice");
    await indexed.warm("alice", rows, { catalogue });
    expect(await idsOf(20)).toEqual(["e3"]);
    await indexed.project([historyRow("alice", "e1", { watched_at: START + 10, rev: 2 })], { catalogue });
    expect(await idsOf(20)).toEqual(["e1", "e3"]);
  });

  test("is found behind thousands of items that are finished, and a show is told once", async () => {
    const rows = Array.from({ length: 1_800 }, (_, n) =>
      historyRow("alice", `c${n}`, { watched_at: START + n, playback_time: n < 900 ? 1_800 : 5_400 }),
    );
    const catalogue = rows.map(({ content_id }, n) =>
      contentOf(content_id, { show: n % 3 === 0 ? null : `show ${n % 7}` }),
    );
    await indexed.evict("alice");
    await indexed.warm("alice", rows, { catalogue });
    const expected = continueWatching(narrowed(rows, catalogue), 100).map((entry) => entry.content_id);
    expect(expected).toHaveLength(100);
    expect(await idsOf(100)).toEqual(expected);
    expect(await idsOf(3)).toEqual(expected.slice(0, 3));
  });

  test("a cold view says so, a known version is not told again", async () => {
    await indexed.evict("alice");
    expect(await ask(20)).toEqual({ state: "cold" });
    await indexed.warm("alice", [historyRow("alice", "a")]);
    const seen = await ask(20);
    const version = "version" in seen ? seen.version : "";
    expect(await ask(20, version)).toEqual({ state: "same", version });
    await indexed.redis.hset(historyKeys(alice)[0], "index", "another");
    expect(await ask(20)).toEqual({ state: "other", making: "another" });
  });

  test("of a part of a history it is complete with what is wanted, or when all is looked through", async () => {
    const rows = Array.from({ length: 4 }, (_, n) => historyRow("alice", `c${n}`, { watched_at: START + n }));
    await indexed.evict("alice");
    await indexed.warm("alice", rows);
    expect(await complete(5)).toBe(true);

    // As many as are kept here at most.
    await indexed.evict("alice");
    await indexed.warm("alice", rows, { floor: START - 1, historyLimit: 4 });
    expect([await complete(5), await complete(4)]).toEqual([true, true]);

    // Some of them are gone since.
    await indexed.evict("alice");
    await indexed.warm("alice", rows, { floor: START - 1, historyLimit: 5 });
    expect([await complete(5), await complete(4)]).toEqual([false, true]);

    // What is not here is forgotten.
    await indexed.project([], { cleared: { alice: START - 1 } });
    expect(await complete(5)).toBe(true);
  });
});

/** What Postgres would say of them, newest first. */
function narrowed(rows: readonly HistoryRow[], catalogue: readonly Content[]): Narrowed[] {
  const known = new Map<ContentId, Content>(catalogue.map((content) => [content.content_id, content]));
  return rows.toSorted(newestFirst).map((row) => {
    const content = known.get(row.content_id) ?? null;
    const shown = content !== null && !content.removed;
    return { progress: watchedItem(row, content), record: shown ? recordView(content) : null };
  });
}
