import { describe, expect, test } from "vitest";
import { type Entry, Payload, receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { appender } from "../../ingest/accept/appender.ts";

function entry(n: number, padding = ""): Entry {
  return receive(
    { content_id: `m${n}${padding}`, playback_time: n },
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
    sent: () => batches.map((payloads) => payloads.flatMap(contentsOf)),
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

function contentsOf(payload: string): string[] {
  return Payload.parse(JSON.parse(payload)).flatMap(({ events }) =>
    events.map((event) => ("content_id" in event ? event.content_id : event.type)),
  );
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
    expect(stream.sent()).toEqual([["m1", "m2"]]);
    stream.next();
    await Promise.all(first);
    await settled();
    stream.next();
    await Promise.all(later);
    expect(stream.sent()).toEqual([
      ["m1", "m2"],
      ["m3", "m4", "m5"],
    ]);
    const last = append(entry(6));
    await settled();
    stream.next();
    await last;
    expect(stream.sent()).toHaveLength(3);
  });

  test("that share an entry share its fate: past the limit all of it is refused, and other entries are not", async () => {
    const sent: number[] = [];
    const append = appender(
      {
        append: async (entries) => {
          sent.push(...entries.map(({ events }) => events));
          return entries.map(({ events }) => events < 500);
        },
      },
      100,
    );
    const outcomes = await Promise.allSettled(Array.from({ length: 510 }, (_, n) => append(entry(n))));
    expect(sent).toEqual([500, 10]);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(10);
    expect(outcomes[0]).toMatchObject({ reason: { code: "backlog_full" } });
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

  test("of large batches are cut into entries by their size, and nothing is lost between them", async () => {
    const seen: string[] = [];
    const append = appender(
      {
        append: async (entries) => {
          for (const { payload } of entries) {
            expect(payload.length).toBeLessThan(300_000);
            seen.push(...contentsOf(payload));
          }
          return entries.map(() => true);
        },
      },
      1e6,
    );
    const all = Array.from({ length: 3_000 }, (_, n) => entry(n, "x".repeat(100)));
    await Promise.all(all.map((one) => append(one)));
    expect(seen).toEqual(all.flatMap((one) => contentsOf(JSON.stringify([one]))));
  });
});
