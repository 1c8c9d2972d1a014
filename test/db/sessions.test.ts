import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Completion, contentCompleted, sessionEnded } from "../../db/contract/cloud-events.ts";
import { Entry, receive } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { checked } from "../../db/contract/refusals.ts";
import {
  finalEntry,
  newSession,
  PositionInput,
  positionEntry,
  reported,
  SessionInput,
  SessionView,
  sessionView,
} from "../../db/contract/sessions.ts";
import { knownSession, sessionFields } from "../../db/redis/sessions.ts";
import { sessionOf } from "../support/sessions.ts";

const AT = Date.UTC(2026, 0, 1);
const given = { user_id: "alice", content_id: "movie", device_id: "tv", duration_seconds: 3_600 };

describe("a session begins", () => {
  test.each([
    [{}, 3_600, null],
    [{ duration_seconds: null }, null, null],
    [{ duration_seconds: undefined }, null, null],
    [{ duration_seconds: 0 }, null, null],
    [{ quality: "1080p HDR" }, 3_600, "1080p HDR"],
  ])("with %j", (more, duration_seconds, quality) => {
    const input = checked(SessionInput, { ...given, ...more });
    expect(newSession(input, { id: "s", at: AT, resumeAt: null })).toEqual(
      sessionOf("s", {
        ...{ duration_seconds, quality, position_seconds: 0, started_at: AT, updated_at: AT, reports: 0 },
      }),
    );
  });

  test("where it is resumed", () => {
    const input = checked(SessionInput, given);
    expect(newSession(input, { id: "s", at: AT, resumeAt: 125.5 }).position_seconds).toBe(125.5);
  });
});

describe("wrong input is refused with the path of each fault", () => {
  test.each([
    [{ user_id: "a b" }, ["user_id"]],
    [{ content_id: "" }, ["content_id"]],
    [{ device_id: undefined }, ["device_id"]],
    [{ device_id: "x".repeat(129) }, ["device_id"]],
    [{ duration_seconds: -1 }, ["duration_seconds"]],
    [{ duration_seconds: 1e9 }, ["duration_seconds"]],
    [{ duration_seconds: "60" }, ["duration_seconds"]],
    [{ quality: "" }, ["quality"]],
    [{ quality: "x".repeat(65) }, ["quality"]],
    [{ user_id: 1, content_id: null }, ["user_id", "content_id"]],
  ])("a session with %j", (wrong, paths) => {
    expect(faultsIn(() => checked(SessionInput, { ...given, ...wrong }))).toEqual(paths);
  });

  test.each([
    [{}, ["position_seconds"]],
    [{ position_seconds: -0.1 }, ["position_seconds"]],
    [{ position_seconds: 1e12 }, ["position_seconds"]],
    [{ position_seconds: "12" }, ["position_seconds"]],
    [{ position_seconds: 1, playback_state: "stopped" }, ["playback_state"]],
    [{ position_seconds: 1, quality: 1080 }, ["quality"]],
  ])("a position %j", (wrong, paths) => {
    expect(faultsIn(() => checked(PositionInput, wrong))).toEqual(paths);
  });

  test("a position of 0 is one", () => {
    expect(checked(PositionInput, { position_seconds: 0 })).toEqual({ position_seconds: 0 });
  });

  function faultsIn(work: () => unknown): string[] {
    try {
      work();
    } catch (error) {
      return (error as { extra: { errors: { path: string }[] } }).extra.errors.map(({ path }) => path);
    }
    return [];
  }
});

describe("a report", () => {
  const session = sessionOf("s", { updated_at: AT, quality: "720p", playback_state: "paused" });

  test("changes what it says, and nothing else", () => {
    const after = reported(session, { position_seconds: 30 }, AT + 1);
    expect(after).toEqual({ ...session, position_seconds: 30, updated_at: AT + 1, reports: 2 });
    const all = { position_seconds: 31, playback_state: "playing", quality: "4k" } as const;
    expect(reported(session, all, AT + 1)).toEqual({ ...session, ...all, updated_at: AT + 1, reports: 2 });
  });

  test("of the same instant counts, an older one does not", () => {
    expect(reported(session, { position_seconds: 30 }, AT).position_seconds).toBe(30);
    expect(reported(session, { position_seconds: 30 }, AT - 1)).toEqual(session);
  });

  test("is a heartbeat of its user, its play and its device, when it arrived", () => {
    const stamp = { received_at: AT + 5, arrival_id: "arrival" };
    const entry = positionEntry(session, { position_seconds: 42 }, stamp);
    expect(Entry.parse(entry)).toEqual({
      ...{ v: 1, user_id: "alice", session_id: "s", received_at: AT + 5 },
      events: [
        {
          ...{ type: "heartbeat", event_id: "arrival.000", occurred_at: AT + 5, content_id: "movie" },
          ...{ catalog_id: null, playback_time: 42, duration: 3_600, completes: false },
          ...{ play_id: "s", device_id: "tv" },
        },
      ],
    });
  });

  test.each([
    ["ended", 10, 3_600, true],
    ["ended", 10, null, true],
    ["playing", 3_500, 3_600, true],
    ["playing", 3_420, 3_600, false],
    ["paused", 3_500, null, false],
    [undefined, 10, 3_600, false],
  ] as const)("that is %s at %d of %s completes: %s", (playback_state, position_seconds, duration, is) => {
    const of = sessionOf("s", { duration_seconds: duration, playback_state: "ended" });
    const stamp = { received_at: AT, arrival_id: "a" };
    const { events } = positionEntry(of, { position_seconds, playback_state }, stamp);
    expect(events[0]).toMatchObject({ completes: is });
  });
});

describe("the end of a session", () => {
  test("repeats the last report, at its own time", () => {
    const session = sessionOf("s", { position_seconds: 77, updated_at: AT + 9 });
    expect(Entry.parse(finalEntry(session))).toEqual({
      ...{ v: 1, user_id: "alice", session_id: "s", received_at: AT + 9 },
      events: [
        {
          ...{ type: "heartbeat", event_id: "s.end", occurred_at: AT + 9, content_id: "movie" },
          ...{ catalog_id: null, playback_time: 77, duration: 3_600, completes: false },
          ...{ play_id: "s", device_id: "tv" },
        },
      ],
    });
    expect(finalEntry({ ...session, playback_state: "ended" })?.events[0]).toMatchObject({ completes: true });
  });

  test("of one that never reported says nothing", () => {
    expect(finalEntry(sessionOf("s", { reports: 0 }))).toBeNull();
  });

  test("is a CloudEvent under the id of the session", () => {
    const session = sessionOf("s", { playback_state: "ended" });
    expect(sessionEnded(session, AT + 1, "timeout")).toEqual({
      specversion: "1.0",
      id: "s",
      source: "playhead",
      type: "SessionEnded",
      subject: "alice",
      time: "2026-01-01T00:00:00.001Z",
      datacontenttype: "application/json",
      dataschema: "urn:playhead:event:SessionEnded:1",
      data: { ...sessionView(session), ended_by: "timeout", completed: true },
    });
    expect(sessionEnded(sessionOf("s"), AT, "client").data).toMatchObject({ completed: false });
  });
});

test("a completion has one id, whenever it is told, and no other play has it", async () => {
  const play = { user_id: "alice" as UserId, content_id: "movie" as ContentId, play_id: "p" };
  const event = await contentCompleted({ ...play, started_at: AT, completed_at: AT + 1 });
  expect(event).toMatchObject({
    ...{ specversion: "1.0", source: "playhead", type: "ContentCompleted", subject: "alice" },
    time: "2026-01-01T00:00:00.001Z",
    data: { ...play, started_at: "2026-01-01T00:00:00.000Z", completed_at: "2026-01-01T00:00:00.001Z" },
  });
  expect(event.id).toBe(createHash("sha256").update('["alice","movie","p"]').digest("hex"));
  const again = await contentCompleted({ ...play, started_at: AT + 5, completed_at: AT + 6 });
  expect(again.id).toBe(event.id);
  const others: Partial<Completion>[] = [
    { user_id: "bob" as UserId },
    { content_id: "m" as ContentId },
    { play_id: "q" },
  ];
  for (const other of others) {
    const its = await contentCompleted({ ...play, ...other, started_at: AT, completed_at: AT + 1 });
    expect(its.id).not.toBe(event.id);
  }
});

test("a client gets a session with its times in ISO 8601, and none of what is ours", () => {
  const view = sessionView(sessionOf("s"));
  expect(SessionView.strict().parse(view)).toEqual(view);
  expect(view.updated_at).toBe("2026-01-01T00:10:00.000Z");
});

const anySession = fc.record({
  id: fc.uuid(),
  user_id: fc.constantFrom("alice", "a:b") as fc.Arbitrary<UserId>,
  content_id: fc.constantFrom("1", "~") as fc.Arbitrary<ContentId>,
  device_id: fc.constantFrom("tv", "0"),
  position_seconds: fc.oneof(fc.double({ min: 0, max: 1e8, noNaN: true }).map(Math.abs), fc.nat()),
  duration_seconds: fc.oneof(fc.constant(null), fc.double({ min: 1e-9, max: 1e8, noNaN: true })),
  playback_state: fc.constantFrom("playing", "paused", "buffering", "ended"),
  quality: fc.oneof(fc.constant(null), fc.string({ minLength: 1, unit: "binary" })),
  started_at: fc.nat(),
  updated_at: fc.nat(),
  reports: fc.nat(),
});

test("any session is read from Redis as it was written", () => {
  fc.assert(
    fc.property(anySession, (session) => {
      expect(knownSession(sessionFields(session))).toEqual({ state: "live", session });
    }),
  );
});

describe("an event that names no play", () => {
  const arrival = { received_at: AT, arrival_id: "a", max_age_ms: 1e9 };
  const alice = "alice" as UserId;
  test.each([
    ["is of the session that its path names", "s", undefined, "s"],
    ["is of none where the path names the user", "alice", undefined, null],
    ["is of none where the path names a profile", null, undefined, null],
    ["or names one itself", "s", "mine", "mine"],
  ])("%s", (_, session_id, play_id, play) => {
    const body = { content_id: "c", playback_time: 1, play_id };
    const { entry } = receive(body, { ...arrival, user_id: alice, session_id });
    expect(entry.events[0]).toMatchObject({ play_id: play });
  });
});
