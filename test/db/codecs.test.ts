import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, KINDS } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import {
  newestFirst,
  pageKey,
  pageOf,
  pageRequest,
  queryKey,
  tagMatches,
  tagOf,
  versionIn,
} from "../../db/contract/pages.ts";
import {
  hexOf,
  packProgress,
  packRecord,
  textOf,
  unpackProgress,
  watchedItem,
} from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";

const anyId = fc.stringMatching(/^[A-Za-z0-9_~:@-][A-Za-z0-9._~:@-]{0,127}$/);
const anyTime = fc.integer({ min: 1, max: 8_640_000_000_000 });
const anySeconds = fc.double({ min: 0, max: 1e8, noNaN: true }).map(Math.abs);

const anyRow: fc.Arbitrary<HistoryRow> = fc.record({
  user_id: anyId.map((id) => id as UserId),
  content_id: anyId.map((id) => id as ContentId),
  catalog_id: fc.option(anyId),
  playback_time: anySeconds,
  duration: fc.option(anySeconds),
  watched_at: anyTime,
  completed_at: fc.oneof(fc.constant(0), anyTime),
  said: fc.option(fc.tuple(anyTime, anyTime, fc.constantFrom(0, 1), fc.oneof(fc.constant(0), anyTime))),
  rev: fc.integer({ min: 1, max: 1e9 }),
});

const anyValue = fc.string({ unit: "grapheme", minLength: 1, maxLength: 128 });
const anyContent: fc.Arbitrary<Content> = fc.record({
  content_id: anyId.map((id) => id as ContentId),
  kind: fc.option(fc.constantFrom(...KINDS)),
  title: fc.option(anyValue),
  thumbnail: fc.option(anyValue),
  duration: fc.option(anySeconds),
  sport: fc.option(anyValue),
  series: fc.option(anyValue),
  teams: fc.uniqueArray(anyValue, { maxLength: 3 }),
  show: fc.option(anyValue),
  season: fc.option(fc.nat()),
  episode: fc.option(fc.nat()),
  credits_at: fc.option(anySeconds),
  released_at: fc.option(anyTime),
  rev: fc.integer({ min: 1, max: 1e9 }),
  removed: fc.constant(false),
});

describe("progress", () => {
  test("comes out of its packing as it went in, with what the catalogue adds", () => {
    fc.assert(
      fc.property(anyRow, fc.option(anyContent), (row, content) => {
        const { content_id, catalog_id, playback_time, watched_at, completed_at } = row;
        const [position_at, marked_at, marked, dismissed_at] = row.said ?? [watched_at, 0, 0, 0];
        expect(unpackProgress(content_id, packProgress(row, content))).toEqual({
          ...{ position_at, marked_at, marked: marked === 1, dismissed_at },
          ...{ content_id, catalog_id, playback_time, watched_at, completed_at },
          duration: row.duration ?? content?.duration ?? null,
          credits_at: content?.credits_at ?? null,
          live: content?.kind === "live",
        });
      }),
    );
  });

  test("has its two versions where the scripts look; a forgotten item has its rev alone", () => {
    fc.assert(
      fc.property(anyRow, fc.option(anyContent), (row, content) => {
        const packed = packProgress(row, content);
        expect(packed.startsWith(`[[${row.rev},${row.watched_at},`)).toBe(true);
        expect(packed.split("],[")).toHaveLength(2);
        expect(packed).toMatch(new RegExp(`\\],\\[${content?.rev ?? 0}[,\\]]`));
        expect(packProgress({ ...row, watched_at: 0 }, content)).toBe(`[[${row.rev}],[0]]`);
      }),
    );
  });
});

describe("a record", () => {
  test("holds what is shown on one line, and a term for every value", () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const record = packRecord(content);
        const { title, thumbnail, sport, series, teams, show, season, episode } = content;
        const shown = { title, thumbnail, sport, series, teams, show, season, episode };
        expect(JSON.parse(record?.view ?? "")).toEqual(JSON.parse(JSON.stringify(shown)));
        expect(record?.view).not.toContain("\n");
        const values = [sport, series, ...teams, show, season].filter((value) => value !== null).map(String);
        expect(record?.terms.map((term) => textOf(term.split(":")[1] ?? ""))).toEqual(
          values.map((value) => value.toWellFormed()),
        );
      }),
    );
  });

  test("of content that was removed, or that nobody knows, there is none", () => {
    fc.assert(fc.property(anyContent, (content) => packRecord({ ...content, removed: true }) === null));
    expect(packRecord(null)).toBe(null);
  });

  test("an encoded value is safe in every index, and no two are alike", () => {
    fc.assert(
      fc.property(anyValue, anyValue, (one, other) => {
        expect(hexOf(one)).toMatch(/^([0-9a-f]{2})+$/);
        expect(hexOf(one) === hexOf(other)).toBe(one === other);
      }),
    );
  });
});

describe("a page", () => {
  test("its Link leads to the item after its last one", () => {
    fc.assert(
      fc.property(
        fc.array(anyRow, { minLength: 2, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        (rows, limit) => {
          const place = { limit, path: "/users/x/watchhistory", query: { sport: ["a b"], cursor: ["0_x"] } };
          const found = rows.map((row) => watchedItem(row, null));
          const { shown, headers } = pageOf(found, (progress) => progress, place);
          expect(shown).toHaveLength(Math.min(limit, rows.length));
          if (rows.length <= limit) {
            expect(headers).toEqual({});
            return;
          }
          const next = new URL(/<([^>]+)>; rel="next"/.exec(headers.link ?? "")?.[1] ?? "", "http://edge");
          const last = rows[limit - 1] as HistoryRow;
          expect(pageRequest(queryOf(next))).toMatchObject({
            limit,
            after: { watched_at: last.watched_at, content_id: last.content_id },
            filter: { sport: "a b" },
          });
        },
      ),
    );
  });

  test.each(["", "x", "12", "_a", "12_", "12_{", "-1_a", "1e3_a", "12_a b"])(
    "the cursor %j is none of ours",
    (cursor) => {
      expect(() => pageRequest({ cursor: [cursor] })).toThrow(/^cursor: /);
    },
  );

  test.each(["0", "201", "1.5", "many", "-1", "0x2", "1e1", " 2", ""])("the limit %j is refused", (limit) => {
    expect(() => pageRequest({ limit: [limit] })).toThrow(/^limit: /);
  });

  test("its order is by time and then by content id as bytes, newest first", () => {
    fc.assert(
      fc.property(fc.array(anyRow), (rows) => {
        const key = (row: HistoryRow) => `${String(row.watched_at).padStart(16, "0")} ${row.content_id}`;
        const byBytes = rows.toSorted((a, b) => Buffer.compare(Buffer.from(key(b)), Buffer.from(key(a))));
        expect(rows.toSorted(newestFirst).map(key)).toEqual(byBytes.map(key));
      }),
    );
  });

  test("its tag is matched by itself, weak or in a list, and by no other query's or version's", async () => {
    const page = { limit: 50, after: null, filter: null };
    const key = pageKey(page);
    const tag = tagOf("e.1", key);
    for (const header of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) expect(tagMatches(header, tag)).toBe(true);
    const others = [tagOf("e.2", key), tagOf("e.1", pageKey({ ...page, limit: 5 })), undefined, ""];
    for (const other of others) expect(tagMatches(other, tag)).toBe(false);

    for (const header of [tag, `W/${tag}`, `"x", ${tag}`]) expect(versionIn(header, key)).toBe("e.1");
    for (const header of others.slice(1)) expect(versionIn(header, key)).toBe("");
    expect(await queryKey({ sport: ["a"], team: ["b"] })).toBe(await queryKey({ team: ["b"], sport: ["a"] }));
    expect(await queryKey({ sport: ["a"] })).not.toBe(await queryKey({ sport: ["A"] }));
  });

  test.each(["serie", "sports", "offset"])("the parameter %s is unknown, and would widen it", (name) => {
    expect(() => pageRequest({ sport: ["a"], [name]: ["b"] })).toThrow(`${name}: unknown here`);
  });
});

function queryOf({ searchParams }: URL): Record<string, string[]> {
  return Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));
}
