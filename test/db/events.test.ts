import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arrival } from "../../db/contract/arrival.ts";
import { Entry, receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { fold } from "../../ingest/drain/fold.ts";

const received_at = Date.UTC(2026, 0, 1);
const arrival: Arrival = {
  user_id: "alice" as UserId,
  session_id: "session-1",
  received_at,
  arrival_id: "arrival",
  max_age_ms: 400 * 86_400_000,
};
const beat = { content_id: "m", playback_time: 60, duration: 3600 };

describe("a request body becomes an entry", () => {
  test("with ids and times where the client brought none", () => {
    const { entry, results } = receive({ events: [beat, { ...beat, event_id: "own" }] }, arrival);
    expect(results?.map((result) => result.event_id)).toEqual(["arrival.000", "own"]);
    expect(entry.events.map((event) => event.occurred_at)).toEqual([received_at, received_at]);
    expect(entry).toMatchObject({ v: 1, user_id: "alice", session_id: "session-1", received_at });
  });

  test("of events without a time of their own the last of the batch counts", () => {
    const events = Array.from({ length: 120 }, (_, n) => ({ ...beat, playback_time: n }));
    const { entry } = receive({ events }, arrival);
    const { items } = fold(entry.events.map((event) => ({ user_id: entry.user_id, event })));
    expect(items).toMatchObject([{ playback_time: 119 }]);
  });

  test.each([".", ".."])("no path could name %j, so it is no id", (content_id) => {
    expect(() => receive({ ...beat, content_id }, arrival)).toThrow(/^content_id: /);
  });

  test("the same body and arrival give the same bytes, and what comes out can be read again", () => {
    const anyEvent = fc.record(
      {
        content_id: fc.stringMatching(/^[A-Za-z0-9_~:@-][A-Za-z0-9._~:@-]{0,127}$/),
        playback_time: fc.double({ min: 0, max: 1e8, noNaN: true }).map(Math.abs),
        duration: fc.option(fc.integer({ min: 0, max: 10_000 })),
        occurred_at: fc.integer({ min: received_at - 1e9, max: received_at + 1e9 }),
        event_id: fc.stringMatching(/^[a-z]{1,9}$/),
        action: fc.constantFrom("progress", "finish", "seek"),
      },
      { requiredKeys: ["content_id", "playback_time"] },
    );
    const anyBody = fc.record(
      {
        events: fc.array(anyEvent, { minLength: 1, maxLength: 5 }),
        sent_at: fc.integer({ min: received_at - 1e8, max: received_at + 1e8 }),
      },
      { requiredKeys: ["events"] },
    );
    fc.assert(
      fc.property(anyBody, (body) => {
        const { entry } = receive(body, arrival);
        expect(JSON.stringify(receive(structuredClone(body), arrival).entry)).toBe(JSON.stringify(entry));
        expect(Entry.parse(JSON.parse(JSON.stringify(entry)))).toEqual(entry);
        for (const event of entry.events) expect(event.occurred_at).toBeLessThanOrEqual(received_at);
      }),
    );
  });
});

describe("clocks", () => {
  const at = (occurred_at: number, sent_at: number) => {
    const [event] = receive({ ...beat, occurred_at, sent_at }, arrival).entry.events;
    return event?.occurred_at;
  };
  test("30 s are latency and left alone, more is corrected either way", () => {
    expect(at(received_at - 40_000, received_at - 30_000)).toBe(received_at - 40_000);
    expect(at(received_at - 40_000, received_at - 30_001)).toBe(received_at - 9_999);
    expect(at(received_at + 20_000, received_at + 30_001)).toBe(received_at - 10_001);
  });
  test("nothing happens after it arrived", () => {
    expect(at(received_at + 5_000, received_at)).toBe(received_at);
  });
  test("ISO times with any offset are understood, epoch milliseconds too", () => {
    const iso = (occurred_at: unknown) =>
      receive({ ...beat, occurred_at }, arrival).entry.events[0]?.occurred_at;
    expect(iso("2025-12-31T23:00:00+01:00")).toBe(Date.UTC(2025, 11, 31, 22));
    expect(iso("2025-12-31T22:00:00.123Z")).toBe(Date.UTC(2025, 11, 31, 22, 0, 0, 123));
    expect(iso(Date.UTC(2025, 11, 31))).toBe(Date.UTC(2025, 11, 31));
  });
  test("400 days are kept, a millisecond more is rejected", () => {
    const oldest = received_at - arrival.max_age_ms;
    expect(at(oldest, received_at)).toBe(oldest);
    expect(() => at(oldest - 1, received_at)).toThrow("occurred_at: older than 400 days");
  });
});

describe("refused as a whole", () => {
  test.each([
    ["no object", "text"],
    ["a list", [beat]],
    ["null", null],
    ["no events", { events: [] }],
    ["too many", { events: Array.from({ length: 501 }, () => beat) }],
    ["events that are no list", { events: beat }],
    ["a wrong sent_at", { sent_at: "now", events: [beat] }],
    ["none that is valid", { events: [{}, 1, null] }],
  ])("%s", (_, body) => {
    expect(() => receive(body, arrival)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });
});

describe("completion", () => {
  const completes = (more: Record<string, unknown>) => {
    const [event] = receive({ ...beat, ...more }, arrival).entry.events;
    return event?.type === "heartbeat" && event.completes;
  };
  test("is past 95 % of a duration that came along, or said by the player", () => {
    expect(completes({ playback_time: 95, duration: 100 })).toBe(false);
    expect(completes({ playback_time: 95.0001, duration: 100 })).toBe(true);
    expect(completes({ playback_time: 95, duration: 0 })).toBe(false);
    expect(completes({ playback_time: 95, duration: null })).toBe(false);
    expect(completes({ playback_time: 1, action: "finish" })).toBe(true);
    expect(completes({ playback_time: 101, duration: 100 })).toBe(true);
  });
});
