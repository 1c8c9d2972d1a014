import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { type Folded, fold, type ItemChange, masked, merge } from "../../ingest/drain/fold.ts";
import { anyDelivery, anyOwnedEvent } from "../support/arbitraries.ts";

describe("fold", () => {
  test("does not depend on order, duplication or batch boundaries", () => {
    const delivered = fc
      .array(anyOwnedEvent, { minLength: 1, maxLength: 25 })
      .chain((events) => fc.tuple(fc.constant(events), anyDelivery(events)));
    fc.assert(
      fc.property(delivered, ([events, batches]) => {
        const whole = fold(events);
        const parts = batches.map(fold).reduce(together);
        expect(parts).toEqual(whole);
      }),
      { numRuns: 2_000 },
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

/** Two folded parts as one, by the rules that a row in Postgres follows. */
function together(a: Folded, b: Folded): Folded {
  const cleared = new Map<UserId, number>(a.cleared);
  for (const [user, at] of b.cleared) cleared.set(user, Math.max(at, cleared.get(user) ?? 0));
  const items = new Map<string, ItemChange>();
  for (const item of [...a.items, ...b.items]) {
    const key = `${item.user_id} ${item.content_id}`;
    const known = items.get(key);
    items.set(key, known ? merge(known, item) : item);
  }
  const all = [...items].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, item]) => item);
  const left = all.map((item) => masked(item, cleared.get(item.user_id) ?? 0));
  return { items: left.filter((item) => item.position_at > 0 || item.deleted_at > 0), cleared };
}
