import { afterEach, describe, expect, test } from "vitest";
import type { Live } from "./ending.ts";
import { aBeat, aDevice, aDismissal, aMark } from "./examples.ts";
import { type Asked, type FakeEdge, fakeEdge, type Said, SILENCE } from "./fake-edge.ts";
import { createFollower } from "./follow.ts";
import { createModel } from "./model.ts";
import { gateOf, type Statuses } from "./persist.ts";
import { sendSteps } from "./send.ts";
import type { Step } from "./traffic.ts";

const beats = (event_id = "e1"): Step => ({
  kind: "events",
  together: [{ kind: "beats", beats: [aBeat({ event_id })], batch: false }],
});
const session: Live = {
  kind: "session",
  session: {
    content_id: "s1e1",
    duration: 100,
    device: aDevice(),
    reports: [
      { position: 10, state: null },
      { position: 99, state: "ended" },
    ],
    ends: true,
  },
};

const opened: FakeEdge[] = [];
afterEach(() => {
  for (const edge of opened.splice(0)) edge.close();
});

describe("sending", () => {
  test("goes on with the same event until it is accepted, through refusals and silence", async () => {
    const { model, statuses, asked, send } = await sender((_, n) => [503, SILENCE, 500, 202][n] ?? 418);
    await send(beats());

    expect(asked.map(({ body }) => JSON.parse(body).event_id)).toEqual(["e1", "e1", "e1", "e1"]);
    expect(model.events()).toBe(1);
    expect(Object.fromEntries(statuses)).toEqual({ 503: 1, silence: 1, 500: 1, 202: 1 });
  });

  test("stops at a refusal that is final, and the model has not heard of it", async () => {
    const { model, send } = await sender(() => 422);
    await expect(send(beats())).rejects.toThrow("422");
    expect(model.events()).toBe(0);
  });

  test("stops when one of many marks is rejected", async () => {
    const results = [{ status: "accepted" }, { status: "rejected" }];
    const { model, send } = await sender(() => ({ status: 200, body: { results } }));
    const marks: Step = { kind: "events", together: [{ kind: "marks", marks: [aMark()], batch: true }] };
    await expect(send(marks)).rejects.toThrow("rejected");
    expect(model.events()).toBe(0);
  });

  test("gives live events moments of their own, all after the forgetting", async () => {
    const { model, asked, send } = await sender(({ body }) => (body === "" ? 204 : 202));
    const live = ["e2", "e3", "e4"].map((event_id): Step => ({ kind: "live", beat: aBeat({ event_id }) }));
    await send(beats(), { kind: "forget", content_id: "match" }, ...live);

    const times = asked.flatMap(({ body }) => (body === "" ? [] : [JSON.parse(body).occurred_at]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(4);
    expect(model.living("u").map(({ event_id }) => event_id)).toEqual(["e2", "e3", "e4"]);
  });

  test("knows what is done live as the time of the attempt that was answered", async () => {
    const arrivals: number[] = [];
    const { model, asked, send } = await sender(async () => {
      arrivals.push(Date.now());
      return arrivals.length === 1 ? 503 : 204;
    });
    await send(
      { kind: "live deed", deed: aMark(), told: false },
      { kind: "live deed", deed: aMark({ content_id: "other" }), told: true },
      { kind: "live deed", deed: aDismissal({ content_id: "other" }), told: false },
    );

    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "PUT /users/u/watchhistory/match/watched",
      "PUT /users/u/watchhistory/match/watched",
      "PUT /users/u/watchhistory/other/watched",
      "POST /users/u/continue-watching/other/dismissed",
    ]);
    const [, mark] = model.history("u");
    expect(mark?.last_watched_at.from).toBeGreaterThan(arrivals[0] ?? Number.POSITIVE_INFINITY);
    expect(mark?.last_watched_at.from).toBeLessThanOrEqual(arrivals[1] ?? 0);
    expect(mark?.last_watched_at.to).toBeGreaterThanOrEqual(arrivals[1] ?? Number.POSITIVE_INFINITY);
    expect(asked[2]?.query.get("occurred_at")).toBe(String(model.history("u")[0]?.last_watched_at.from));
  });

  test("plays a session: a cut beginning is begun again, every report is an event, and it ends", async () => {
    const { model, asked, send, count } = await sender(({ method, body }, n) => {
      if (method === "POST") return n === 0 ? SILENCE : { status: 201, body: { id: "s-1" } };
      return method === "DELETE" ? 204 : { status: 200, body: JSON.parse(body) };
    });
    await send(session);

    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /api/v1/sessions",
      "POST /api/v1/sessions",
      "PATCH /api/v1/sessions/s-1/position",
      "PATCH /api/v1/sessions/s-1/position",
      "DELETE /api/v1/sessions/s-1",
    ]);
    const [, begun, report, last] = asked.map(({ body }) => (body === "" ? null : JSON.parse(body)));
    expect(begun).toMatchObject({ user_id: "u", content_id: "s1e1", device_id: "tv", duration_seconds: 100 });
    expect([report, last]).toEqual([
      { position_seconds: 10 },
      { position_seconds: 99, playback_state: "ended" },
    ]);
    expect(model.living("u")).toMatchObject([{ play_id: "s-1", playback_time: 10 }, { action: "finish" }]);
    expect(model.history("u")).toMatchObject([{ content_id: "s1e1", completed: true, playback_time: 99 }]);
    expect(count()).toBe(2);
  });

  test("a session that is elsewhere than it was reported is noticed", async () => {
    const { send } = await sender(({ method }) =>
      method === "POST"
        ? { status: 201, body: { id: "s" } }
        : { status: 200, body: { position_seconds: 11 } },
    );
    await expect(send(session)).rejects.toThrow("at 11, not at 10");
  });

  async function sender(handle: (asked: Asked, n: number) => Said | Promise<Said>) {
    const asked: Asked[] = [];
    const edge = await fakeEdge((its) => handle(its, asked.push(its) - 1));
    opened.push(edge);
    const model = createModel();
    const statuses: Statuses = new Map();
    const its = { edge: edge.url, user_id: "u", token: "t" };
    const persisting = { statuses, gate: gateOf(1) };
    const follower = createFollower(its, persisting);
    let sent = 0;
    const onSent = (events: number) => {
      sent += events;
    };
    const deps = { ...persisting, model, follower, admit: () => undefined, onSent };
    const send = (...steps: Step[]) => sendSteps(its, steps, deps);
    return { model, statuses, asked, send, count: () => sent };
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
