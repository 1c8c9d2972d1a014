import { describe, expect, test } from "vitest";
import { dismissItem, markItem, markItems } from "../../db/contract/actions.ts";
import type { Arrival } from "../../db/contract/arrival.ts";
import { receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { aBeat, aDevice, aDismissal, aMark } from "./examples.ts";
import { bodyOf, marksOf, requestOf } from "./requests.ts";
import type { Delivery } from "./traffic.ts";

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
/** A moment ago, really: the requests look at the clock themselves. */
const AT = Date.now() - 60_000;
const sender = { edge: "http://edge", user_id: "u", token: "t" };

describe("what a device puts into a request", () => {
  describe.each([
    ["right", 0, false],
    ["three hours slow", -3 * 3_600_000, true],
    ["ten years fast", 3_650 * DAY, false],
  ])("comes out at the true time, when its clock is %s:", (_, skew_ms, iso_times) => {
    const device = aDevice({ skew_ms, iso_times, says_sent_at: true });

    test("beats", () => {
      const beats = [
        aBeat({ device, at: NOW - 60_000 }),
        aBeat({ event_id: "e2", device, at: NOW - 50_000 }),
      ];
      expect(receive(bodyOf(beats, true, NOW), arrival()).entry.events).toMatchObject([
        { occurred_at: NOW - 60_000 },
        { occurred_at: NOW - 50_000 },
      ]);
      expect(receive(bodyOf(beats, false, NOW), arrival()).entry.events).toMatchObject([
        { occurred_at: NOW - 60_000 },
      ]);
    });

    test("many marks", () => {
      const marks = [aMark({ device, at: NOW - 9_000 }), aMark({ device, at: NOW - 8_000, watched: false })];
      const body = new TextEncoder().encode(JSON.stringify(marksOf(marks, NOW)));
      const { entry, results } = markItems
        .of({ params: { user_id: "u" }, query: {} })
        .receive(arrival(), body);
      expect(results).toMatchObject(marks.map(({ event_id }) => ({ event_id, status: "accepted" })));
      expect(entry.events).toMatchObject([
        { occurred_at: NOW - 9_000, watched: true },
        { occurred_at: NOW - 8_000, watched: false },
      ]);
    });

    test.each([
      ["a mark", "PUT", markItem(true), requestOf(sender, markDelivery(true))],
      ["a mark that it is not watched", "DELETE", markItem(false), requestOf(sender, markDelivery(false))],
      ["a dismissal", "POST", dismissItem(true), requestOf(sender, dismissalDelivery(true))],
      [
        "a dismissal that is taken back",
        "DELETE",
        dismissItem(false),
        requestOf(sender, dismissalDelivery(false)),
      ],
    ])("%s", (_, method, action, { question }) => {
      const { url, ...asked } = question();
      const at = new URL(url);
      const [, , user_id = "", , content_id = ""] = at.pathname.split("/").map(decodeURIComponent);
      const its = action.of({ params: { user_id, content_id }, query: Object.fromEntries(at.searchParams) });
      const { entry } = its.receive(arrival(Date.now()), new Uint8Array());
      const [event] = entry.events;
      expect(asked.method).toBe(method);
      expect(event).toMatchObject({ content_id: "a:b" });
      // The device looks at its clock only when it sends.
      expect(Math.abs((event?.occurred_at ?? 0) - AT)).toBeLessThan(5_000);
    });

    function markDelivery(watched: boolean): Delivery {
      const mark = aMark({ device, at: AT, watched, content_id: "a:b" });
      return { kind: "marks", marks: [mark], batch: false };
    }
    function dismissalDelivery(dismissed: boolean): Delivery {
      const dismissal = aDismissal({ device, at: AT, dismissed, content_id: "a:b" });
      return { kind: "dismissal", dismissal };
    }
  });
});

function arrival(received_at = NOW): Arrival {
  const user_id = "u" as UserId;
  return { user_id, session_id: null, received_at, arrival_id: "a", max_age_ms: 400 * DAY };
}
