import { describe, expect, test } from "vitest";
import { type Entry, receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { appender } from "../../ingest/accept/appender.ts";

function entry(n: number): Entry {
  return receive(
    { content_id: `m${n}`, playback_time: n },
    {
      user_id: "alice" as UserId,
      session_id: null,
      received_at: 1e12,
      arrival_id: `a${n}`,
      max_age_ms: 1e12,
    },
  ).entry;
}

/** A stream whose appends wait until they are let through. */
function slowStream(taken: (payloads: string[]) => boolean[]) {
  const batches: string[][] = [];
  let letThrough: () => void = () => {};
  return {
    batches,
    next: () => letThrough(),
    append: async (entries: readonly { payload: string }[]) => {
      const payloads = entries.map(({ payload }) => payload);
      batches.push(payloads);
      await new Promise<void>((resolve) => {
        letThrough = resolve;
      });
      return taken(payloads);
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("appends", () => {
  test("of one moment, and those that come while one is under way, share the next", async () => {
    const stream = slowStream((payloads) => payloads.map(() => true));
    const append = appender(stream, 100);
    const first = [append(entry(1)), append(entry(2))];
    await settled();
    const later = [append(entry(3)), append(entry(4)), append(entry(5))];
    await settled();
    expect(stream.batches.map((batch) => batch.length)).toEqual([2]);
    stream.next();
    await Promise.all(first);
    await settled();
    stream.next();
    await Promise.all(later);
    expect(stream.batches.map((batch) => batch.length)).toEqual([2, 3]);
    const last = append(entry(6));
    await settled();
    stream.next();
    await last;
    expect(stream.batches).toHaveLength(3);
  });

  test("are answered each for itself: the one that is too much is refused, its neighbours are not", async () => {
    const stream = slowStream((payloads) => payloads.map((_, at) => at !== 1));
    const append = appender(stream, 100);
    const all = [append(entry(1)), append(entry(2)), append(entry(3))];
    await settled();
    stream.next();
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "backlog_full" } });
  });

  test("that fail are all refused, and the next one is tried anew", async () => {
    let fails = true;
    const append = appender(
      {
        append: async (entries) => {
          if (fails) throw new Error("connection lost");
          return entries.map(() => true);
        },
      },
      100,
    );
    const outcomes = await Promise.allSettled([append(entry(1)), append(entry(2))]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "unavailable" } });
    fails = false;
    await expect(append(entry(3))).resolves.toBeUndefined();
  });

  test("of many large batches go in several commands", async () => {
    const sizes: number[] = [];
    const append = appender(
      {
        append: async (entries) => {
          sizes.push(entries.length);
          return entries.map(() => true);
        },
      },
      1e6,
    );
    await Promise.all(Array.from({ length: 1_100 }, (_, n) => append(entry(n))));
    expect(sizes).toEqual([500, 500, 100]);
  });
});
