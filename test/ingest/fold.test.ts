import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold } from "../../ingest/drain/fold.ts";
import { anyDelivery, anyOwnedEvent } from "../support/arbitraries.ts";

describe("fold", () => {
  test("does not depend on order or duplication", () => {
    const delivered = fc
      .array(anyOwnedEvent, { minLength: 1, maxLength: 25 })
      .chain((events) => fc.tuple(fc.constant(events), anyDelivery(events)));
    fc.assert(
      fc.property(delivered, ([events, batches]) => {
        expect(fold(batches.flat())).toEqual(fold(events));
      }),
      { numRuns: 3_000 },
    );
  });

  test("keeps nothing that a delete or a clear masks", () => {
    fc.assert(
      fc.property(fc.array(anyOwnedEvent, { maxLength: 25 }), (events) => {
        const { items, cleared } = fold(events);
        for (const item of items) {
          const mask = Math.max(item.deleted_at, cleared.get(item.user_id) ?? 0);
          for (const stamp of [item.position_at, item.duration_at, item.catalog_at, item.completed_at]) {
            expect(stamp === 0 || stamp > mask).toBe(true);
          }
          if (item.position_at === 0) expect(item).toMatchObject({ playback_time: 0, position_event_id: "" });
          if (item.duration_at === 0) expect(item.duration).toBeNull();
          if (item.catalog_at === 0) expect(item.catalog_id).toBeNull();
        }
      }),
    );
  });

  test("answers its changes sorted by key, byte by byte", () => {
    fc.assert(
      fc.property(fc.array(anyOwnedEvent, { maxLength: 25 }), (events) => {
        const keys = fold(events).items.map((item) => `${item.user_id} ${item.content_id}`);
        expect(keys).toEqual(
          [...new Set(keys)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        );
      }),
    );
  });
});
