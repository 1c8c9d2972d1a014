import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { aBeat, aDevice } from "./examples.ts";
import { createModel } from "./model.ts";
import { gateOf, type Statuses } from "./persist.ts";
import { bodyOf, sendSteps } from "./send.ts";
import type { Step } from "./traffic.ts";

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
/** Hanging up, instead of a status. */
const SILENCE = 0;

describe("what a device puts into a request", () => {
  test.each([
    ["right", 0, false],
    ["three hours slow", -3 * 3_600_000, true],
    ["ten years fast", 3_650 * DAY, false],
  ])("comes out at the true time: its clock is %s", (_, skew_ms, iso_times) => {
    const device = aDevice({ skew_ms, iso_times, says_sent_at: true });
    const beats = [aBeat({ device, at: NOW - 60_000 }), aBeat({ event_id: "e2", device, at: NOW - 50_000 })];
    for (const batch of [true, false]) {
      const events = receive(bodyOf(beats, batch, NOW), {
        user_id: "u" as UserId,
        session_id: null,
        received_at: NOW,
        arrival_id: "a",
        max_age_ms: 400 * DAY,
      }).entry?.events;
      expect(events).toMatchObject(
        batch
          ? [{ occurred_at: NOW - 60_000 }, { occurred_at: NOW - 50_000 }]
          : [{ occurred_at: NOW - 60_000 }],
      );
    }
  });
});

describe("sending", () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  test("goes on with the same event until it is accepted, through refusals and silence", async () => {
    const bodies: string[] = [];
    const edge = await answering((body, answer) => {
      bodies.push(body);
      answer([503, SILENCE, 500, 202][bodies.length - 1] ?? 418);
    });
    const { model, statuses, send } = sender(edge);
    await send([{ kind: "events", together: [{ beats: [aBeat()], batch: false }] }]);

    expect(bodies.map((body) => JSON.parse(body).event_id)).toEqual(["e1", "e1", "e1", "e1"]);
    expect(model.events()).toBe(1);
    expect(Object.fromEntries(statuses)).toEqual({ 503: 1, silence: 1, 500: 1, 202: 1 });
  });

  test("stops at a refusal that is final, and the model has not heard of it", async () => {
    const { model, send } = sender(await answering((_, answer) => answer(422)));
    const sending = send([{ kind: "events", together: [{ beats: [aBeat()], batch: false }] }]);
    await expect(sending).rejects.toThrow("422");
    expect(model.events()).toBe(0);
  });

  test("gives live events moments of their own, all after the forgetting", async () => {
    const times: number[] = [];
    const edge = await answering((body, answer) => {
      if (body !== "") times.push(JSON.parse(body).occurred_at);
      answer(body === "" ? 204 : 202);
    });
    const { model, send } = sender(edge);
    await send([
      { kind: "events", together: [{ beats: [aBeat()], batch: false }] },
      { kind: "forget", content_id: "match" },
      ...["e2", "e3", "e4"].map((event_id): Step => ({ kind: "live", beat: aBeat({ event_id }) })),
    ]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(4);
    expect(model.living("u").map(({ event_id }) => event_id)).toEqual(["e2", "e3", "e4"]);
  });

  function sender(edge: string) {
    const model = createModel();
    const statuses: Statuses = new Map();
    const deps = { edge, model, statuses, gate: gateOf(1), admit: () => undefined, onSent: () => {} };
    return {
      model,
      statuses,
      send: (steps: Step[]) => sendSteps({ user_id: "u", token: "t" }, steps, deps),
    };
  }

  /** A server that answers with a status, or hangs up. */
  function answering(handle: (body: string, answer: (status: number) => void) => void): Promise<string> {
    const server = createServer(async (req, res) => {
      let body = "";
      for await (const chunk of req) body += chunk;
      handle(body, (status) => {
        if (status === SILENCE) req.socket.destroy();
        else res.writeHead(status).end();
      });
    });
    closing.push(() => server.close());
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      });
    });
  }
});

test("a gate lets only so many through at once, and everybody in the end", async () => {
  const gate = gateOf(2);
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside--;
  };
  await Promise.all(Array.from({ length: 7 }, () => gate(work)));
  expect(most).toBe(2);
});
