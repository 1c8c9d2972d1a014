import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Changes,
  changesOf,
  changesRequest,
  decodeFeedCursor,
  encodeFeedCursor,
} from "../../db/contract/changes.ts";
import { ContentId } from "../../db/contract/ids.ts";

const anyCursor = fc.record({
  epoch: fc.tuple(fc.uuid(), fc.nat()).map(([token, clears]) => `${token}~${clears}`),
  seq: fc.nat(),
  after: fc.option(
    fc.record({
      watched_at: fc.integer({ min: 1, max: 8.64e15 }),
      content_id: fc
        .stringMatching(/^[A-Za-z0-9._~:@-]{1,128}$/)
        .filter((id) => ContentId.safeParse(id).success)
        .map((id) => id as ContentId),
    }),
  ),
});

describe("a cursor", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(anyCursor, (cursor) => {
        const text = encodeFeedCursor(cursor);
        expect(decodeFeedCursor(text)).toEqual(cursor);
        expect(changesRequest({ since: [text] }).since).toEqual(cursor);
      }),
    );
  });

  test.each([
    ...["x", ".", "e.", ".5", "e.-1", "e.1.", "e.1.2", "e.1.2_", "e.1._a", "e.1.2_a b", "e.1.2_..", "e.x"],
    ...[
      "e 1.1",
      "e.1.2_{a}",
      "e.1e3",
      "ü.1",
      "e.1\n",
      "e.1.2_a\n",
      `${"e".repeat(81)}.1`,
      "e.1234567890123456",
    ],
  ])("that is none is refused: %j", (since) => {
    expect(() => changesRequest({ since: [since] })).toThrow(/since/);
  });
});

test("takes a cursor and a limit of 1 to 500, and nothing else", () => {
  expect(changesRequest({})).toEqual({ since: null, limit: 100 });
  expect(changesRequest({ since: [""], limit: ["500"] })).toEqual({ since: null, limit: 500 });
  for (const query of [{ limit: ["501"] }, { limit: ["0"] }, { since: ["", ""] }, { cursor: ["e.1"] }]) {
    expect(() => changesRequest(query)).toThrow();
  }
});

test("an answer has what is shown and what is gone, and says reset only when it is one", () => {
  const content_id = "a" as ContentId;
  const cursor = { epoch: "e", seq: 7, after: null };
  const answer = changesOf({ told: [{ content_id, progress: null }], cursor, has_more: false, reset: false });
  expect(answer).toEqual({ changes: [{ content_id: "a", deleted: true }], cursor: "e.7", has_more: false });
  expect(Changes.parse(changesOf({ told: [], cursor, has_more: true, reset: true }))).toEqual({
    ...{ changes: [], cursor: "e.7", has_more: true, reset: true },
  });
});
