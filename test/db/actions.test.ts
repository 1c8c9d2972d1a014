import { describe, expect, test } from "vitest";
import {
  type Action,
  clearHistory,
  dismissItem,
  forgetItem,
  markItem,
  markItems,
  pauseHistory,
} from "../../db/contract/actions.ts";
import type { Arrival } from "../../db/contract/arrival.ts";
import { Entry } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";

const received_at = Date.UTC(2026, 0, 31);
const DAY = 86_400_000;
const arrival: Arrival = {
  ...{ user_id: "alice" as UserId, session_id: null, received_at, arrival_id: "arrival" },
  max_age_ms: 400 * DAY,
};

/** What a request becomes. */
function asked(action: Action, query: Record<string, string> = {}, body?: unknown) {
  const its = action.of({ params: { user_id: "alice", content_id: "film" }, query });
  return its.receive(arrival, new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body)));
}

function eventOf(...its: Parameters<typeof asked>) {
  const { entry } = asked(...its);
  // What is made can be read again out of the stream.
  expect(Entry.parse(JSON.parse(JSON.stringify(entry)))).toEqual(entry);
  return entry.events[0];
}

function refusalOf(...its: Parameters<typeof asked>): Refusal {
  try {
    asked(...its);
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error("it was taken");
}

const faultsOf = (...its: Parameters<typeof asked>) => refusalOf(...its).extra.errors;

describe("what is done to one item", () => {
  test.each([
    [forgetItem, { type: "forget" }],
    [markItem(true), { type: "mark", watched: true }],
    [markItem(false), { type: "mark", watched: false }],
    [dismissItem(true), { type: "dismissal", dismissed: true }],
    [dismissItem(false), { type: "dismissal", dismissed: false }],
  ])("is an event at the time of its arrival", (action, what) => {
    expect(eventOf(action)).toEqual({
      ...{ event_id: "arrival.000", occurred_at: received_at, content_id: "film" },
      ...what,
    });
  });

  test("happened when the device says, by its clock put right, and never later than it arrives", () => {
    const at = (query: Record<string, string>) => eventOf(markItem(true), query)?.occurred_at;
    expect(at({ occurred_at: String(received_at - 5) })).toBe(received_at - 5);
    expect(at({ occurred_at: "2026-01-30T23:00:00+00:00" })).toBe(received_at - 3_600_000);
    expect(at({ occurred_at: String(received_at + 5) })).toBe(received_at);
    const [wrong, sent] = [String(received_at - DAY - 60_000), String(received_at - DAY)];
    expect(at({ occurred_at: wrong, sent_at: sent })).toBe(received_at - 60_000);
  });

  test("is refused when it is too old, misspelt, or at no time", () => {
    const old = String(received_at - 401 * DAY);
    expect(faultsOf(dismissItem(true), { occurred_at: old })).toEqual([
      { path: "occurred_at", message: "older than 400 days" },
    ]);
    expect(faultsOf(markItem(true), { occured_at: "1" })).toEqual([
      { path: "occured_at", message: "unknown here" },
    ]);
    expect(faultsOf(markItem(true), { occurred_at: "yesterday" })?.[0]?.path).toBe("occurred_at");
    expect(() => forgetItem.of({ params: { user_id: "a b", content_id: "{}" }, query: {} })).toThrow(Refusal);
  });
});

test("a clear is stamped with the arrival, or with an earlier time, never a later one", () => {
  const at = (query: Record<string, string>) => eventOf(clearHistory, query)?.occurred_at;
  expect(at({})).toBe(received_at);
  expect(at({ before: String(received_at - 1) })).toBe(received_at - 1);
  expect(at({ before: String(received_at + 1) })).toBe(received_at);
  expect(at({ before: "0" })).toBe(0);
  expect(faultsOf(clearHistory, { befor: "1" })).toEqual([{ path: "befor", message: "unknown here" }]);
});

describe("many marks", () => {
  test("are judged each alone", () => {
    const { entry, results } = asked(
      markItems,
      {},
      {
        sent_at: received_at,
        marks: [
          { content_id: "a" },
          { content_id: "b", watched: false, occurred_at: received_at - 7, event_id: "mine" },
          { content_id: "c", watched: "yes" },
          { content_id: "d", occurred_at: 1 },
          { content_id: "e", wached: true },
          "f",
        ],
      },
    );
    expect(entry.events).toEqual([
      { type: "mark", event_id: "arrival.000", occurred_at: received_at, content_id: "a", watched: true },
      { type: "mark", event_id: "mine", occurred_at: received_at - 7, content_id: "b", watched: false },
    ]);
    expect(results?.map(({ status, errors }) => [status, errors?.[0]?.path])).toEqual([
      ["accepted", undefined],
      ["accepted", undefined],
      ["rejected", "marks.2.watched"],
      ["rejected", "marks.3.occurred_at"],
      ["rejected", "marks.4.wached"],
      ["rejected", "marks.5"],
    ]);
  });

  test.each([
    [{}],
    [{ marks: [] }],
    [{ marks: Array(501).fill({ content_id: "a" }) }],
    [{ marks: [{}] }],
    [[]],
    [null],
  ])("that are none, too many, or all bad are refused", (body) => {
    expect(refusalOf(markItems, {}, body).code).toBe("invalid_input");
  });

  test("of a body that is not JSON are refused", () => {
    expect(refusalOf(markItems).code).toBe("malformed_json");
  });
});

describe("a pause", () => {
  test("begins and ends at a time", () => {
    expect(eventOf(pauseHistory, {}, { paused: true })).toEqual({
      ...{ type: "pause", event_id: "arrival.000", occurred_at: received_at, paused: true },
    });
    const past = { paused: false, occurred_at: received_at - 9 };
    expect(eventOf(pauseHistory, {}, past)).toMatchObject({ paused: false, occurred_at: received_at - 9 });
  });

  test.each([
    [{}],
    [{ paused: 1 }],
    [{ paused: true, until: 1 }],
    [{ paused: true, occurred_at: 1 }],
    ["on"],
  ])("is refused as %j", (body) => {
    expect(refusalOf(pauseHistory, {}, body).code).toBe("invalid_input");
  });
});
