import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { historyPage, historyTag, newestFirst, pageRequest, tagMatches } from "../../db/contract/pages.ts";
import { packCatalogue, packProgress, recordFields, unpackProgress } from "../../db/redis/records.ts";
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
  position_at: anyTime,
  completed_at: fc.oneof(fc.constant(0), anyTime),
  rev: fc.integer({ min: 1, max: 1e9 }),
  content_rev: fc.integer({ min: 0, max: 1e9 }),
  title: fc.option(fc.string({ unit: "grapheme" })),
  thumbnail: fc.option(fc.string()),
});

describe("progress", () => {
  test("comes out of its packing as it went in", () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const { content_id, catalog_id, playback_time, duration, position_at, completed_at } = row;
        const progress = { content_id, catalog_id, playback_time, duration, position_at, completed_at };
        expect(unpackProgress(content_id, packProgress(row))).toEqual(progress);
      }),
    );
  });

  test("has the revs at its head, where the scripts look; a forgotten item has its rev alone", () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        expect(packProgress(row).startsWith(`[${row.rev},${row.content_rev},`)).toBe(true);
        expect(packProgress({ ...row, position_at: 0 })).toBe(`[${row.rev}]`);
      }),
    );
  });
});

describe("a record", () => {
  test("is what the script writes, nothing null among it", () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const packed = packCatalogue(row);
        const flat = packed === "" ? [] : (JSON.parse(packed) as string[]);
        expect(flat).not.toContain(null);
        const added = Object.fromEntries(flat.flatMap((name, at) => (at % 2 ? [] : [[name, flat[at + 1]]])));
        expect({ user: row.user_id, content: row.content_id, ...added }).toEqual(recordFields(row));
        expect(packed === "").toBe(row.title === null && row.thumbnail === null);
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
          const { items, headers } = historyPage(rows, limit, "/users/x/watchhistory");
          expect(items).toHaveLength(Math.min(limit, rows.length));
          if (rows.length <= limit) {
            expect(headers).toEqual({});
            return;
          }
          const next = new URL(/<([^>]+)>; rel="next"/.exec(headers.link ?? "")?.[1] ?? "", "http://edge");
          const last = rows[limit - 1] as HistoryRow;
          expect(pageRequest(Object.fromEntries(next.searchParams))).toEqual({
            limit,
            after: { position_at: last.position_at, content_id: last.content_id },
          });
        },
      ),
    );
  });

  test.each(["", "x", "12", "_a", "12_", "12_{", "-1_a", "1e3_a", "12_a b"])(
    "the cursor %j is none of ours",
    (cursor) => {
      expect(() => pageRequest({ cursor })).toThrow(/^cursor: /);
    },
  );

  test.each(["0", "201", "1.5", "many", "-1", "0x2", "1e1", " 2", ""])("the limit %j is refused", (limit) => {
    expect(() => pageRequest({ limit })).toThrow(/^limit: /);
  });

  test("its order is by time and then by content id as bytes, newest first", () => {
    fc.assert(
      fc.property(fc.array(anyRow), (rows) => {
        const key = (row: HistoryRow) => `${String(row.position_at).padStart(16, "0")} ${row.content_id}`;
        const byBytes = rows.toSorted((a, b) => Buffer.compare(Buffer.from(key(b)), Buffer.from(key(a))));
        expect(rows.toSorted(newestFirst).map(key)).toEqual(byBytes.map(key));
      }),
    );
  });

  test("its tag is matched by itself, weak or in a list, and by no other query's or version's", () => {
    const page = { limit: 50, after: null };
    const tag = historyTag("e.1", page);
    for (const header of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) expect(tagMatches(header, tag)).toBe(true);
    for (const other of [historyTag("e.2", page), historyTag("e.1", { ...page, limit: 5 }), undefined, ""]) {
      expect(tagMatches(other, tag)).toBe(false);
    }
  });
});
