import fc from "fast-check";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { OwnedEvent } from "../../ingest/drain/fold.ts";

/** Few users, few contents, few instants: so that events meet, tie and mask each other. */
export const users = ["alice", "Alice", "a:b"] as UserId[];
export const contents = ["1", "11", "c:1", "C:1", "~"] as ContentId[];

export const anyUser = fc.constantFrom(...users);
export const anyContent = fc.constantFrom(...contents);
const anyInstant = fc.integer({ min: 1, max: 12 }).map((step) => 1_700_000_000_000 + step);
const anySeconds = fc.oneof(
  fc.integer({ min: 0, max: 7200 }),
  fc.double({ min: 0, max: 7200, noNaN: true }).map(Math.abs),
);

const anyHeartbeat = fc.record({
  type: fc.constant("heartbeat" as const),
  event_id: fc.constantFrom("e1", "e2", "E2", "e10"),
  occurred_at: anyInstant,
  content_id: anyContent,
  catalog_id: fc.constantFrom(null, "cat-a", "cat-b"),
  playback_time: anySeconds,
  duration: fc.oneof(fc.constant(null), fc.constantFrom(40, 3600, 5400.5)),
  completes: fc.boolean(),
  play_id: fc.constantFrom(null, "p1", "p2"),
  device_id: fc.constant(null),
});

const anyForget = fc.record({
  type: fc.constant("forget" as const),
  event_id: fc.constant("f"),
  occurred_at: anyInstant,
  content_id: anyContent,
});

const anyClear = fc.record({
  type: fc.constant("clear" as const),
  event_id: fc.constant("c"),
  occurred_at: anyInstant,
});

const anyMark = fc.record({
  type: fc.constant("mark" as const),
  event_id: fc.constant("m"),
  occurred_at: anyInstant,
  content_id: anyContent,
  watched: fc.boolean(),
});

const anyDismissal = fc.record({
  type: fc.constant("dismissal" as const),
  event_id: fc.constant("d"),
  occurred_at: anyInstant,
  content_id: anyContent,
  dismissed: fc.boolean(),
});

/** Not among the events: a pause that becomes known late cannot bring back what it took away. */
export const anyPause = fc.record({
  type: fc.constant("pause" as const),
  event_id: fc.constant("s"),
  occurred_at: anyInstant,
  paused: fc.boolean(),
});

export const anyEvent: fc.Arbitrary<WatchEvent> = fc.oneof(
  { weight: 8, arbitrary: anyHeartbeat },
  { weight: 2, arbitrary: anyForget },
  { weight: 1, arbitrary: anyClear },
  { weight: 2, arbitrary: anyMark },
  { weight: 1, arbitrary: anyDismissal },
);

export const anyOwnedEvent: fc.Arbitrary<OwnedEvent> = fc.record({ user_id: anyUser, event: anyEvent });

/** A list cut into batches, each event possibly delivered again, in any order. */
export function anyDelivery<T>(events: readonly T[]): fc.Arbitrary<T[][]> {
  return fc
    .tuple(
      fc.shuffledSubarray([...events], { minLength: events.length }),
      fc.subarray([...events]),
      fc.array(fc.nat({ max: 6 }), { maxLength: 8 }),
    )
    .map(([shuffled, again, cuts]) => {
      const all = [...shuffled, ...again];
      const batches: T[][] = [];
      for (const cut of cuts) batches.push(all.splice(0, cut));
      return [...batches, all].filter((batch) => batch.length > 0);
    });
}
