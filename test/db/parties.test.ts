import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Viewer } from "../../db/contract/access.ts";
import type { Role } from "../../db/contract/access-matrix.ts";
import { partyEnded, partyStarted } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import {
  endOf,
  LONGEST_PARTY_MS,
  newParty,
  PartyInput,
  PartyPatch,
  patched,
} from "../../db/contract/parties.ts";
import {
  comparePlaces,
  cursorOf,
  inviteIn,
  logsRequest,
  messagesRequest,
  partiesRequest,
} from "../../db/contract/party-lists.ts";
import {
  leadsParty,
  mayJoinParty,
  maySeeParty,
  mustHostParty,
  mustLeadParty,
  mustSeePartyLogs,
} from "../../db/contract/party-rights.ts";
import { messageView, PartyView, partyView } from "../../db/contract/party-views.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import { partyOf } from "../support/parties.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 86_400_000;
const TIMES = { start_time: NOW + HOUR, end_time: NOW + 2 * HOUR };
const INPUT = { title: "The Final", content_id: "match", visibility: "public", start_time: NOW + HOUR };
const minted = { party_id: "p", host_id: "alice" as UserId, invite_code: "code", now: NOW };

/** Where a refusal says that the input is wrong, or its code. */
function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.extra.errors?.[0]?.path ?? error.code;
    throw error;
  }
  return "none";
}

describe("what a client says", () => {
  test("is a party, its times in any form", () => {
    const end_time = "2026-01-01T05:00:00+02:00";
    expect(checked(PartyInput, { ...INPUT, end_time })).toEqual({
      ...INPUT,
      end_time: Date.parse(end_time),
    });
    expect(checked(PartyInput, INPUT).end_time).toBeNull();
    expect(checked(PartyInput, { ...INPUT, title: "🎬".repeat(200) }).title).toHaveLength(400);
  });

  test.each([
    [{ title: "" }, "title"],
    [{ title: "x".repeat(201) }, "title"],
    [{ title: "a\0b" }, "title"],
    [{ title: "\ud800" }, "title"],
    [{ title: null }, "title"],
    [{ content_id: "a b" }, "content_id"],
    [{ content_id: undefined }, "content_id"],
    [{ start_time: "tomorrow" }, "start_time"],
    [{ start_time: "2026-01-01T00:00:00" }, "start_time"],
    [{ start_time: undefined }, "start_time"],
    [{ start_time: -1 }, "start_time"],
    [{ start_time: Number.NaN }, "start_time"],
    [{ end_time: 1e17 }, "end_time"],
    [{ visibility: "secret" }, "visibility"],
    [{ visibility: undefined }, "visibility"],
    [{ host_id: "mallory" }, "host_id"],
    [{ co_host_ids: ["bob"] }, "co_host_ids"],
    [{ status: "ONGOING" }, "status"],
  ])("%j is refused, and the path named: %s", (its, path) => {
    expect(refusalOf(() => checked(PartyInput, { ...INPUT, ...its }))).toBe(path);
  });

  test.each([
    [{ title: null }, "title"],
    [{ visibility: null }, "visibility"],
    [{ start_time: null }, "start_time"],
    [{ co_host_ids: ["bob", "b b"] }, "co_host_ids.1"],
    [{ co_host_ids: Array.from({ length: 21 }, (_, n) => `u${n}`) }, "co_host_ids"],
    [{ invite_code: "mine" }, "invite_code"],
    [{ status: "CANCELLED" }, "status"],
    [[], ""],
  ])("as a change %j is refused: %s", (patch, path) => {
    expect(refusalOf(() => checked(PartyPatch, patch))).toBe(path);
  });

  test("is a change with anything left out, and each co-host once", () => {
    expect(checked(PartyPatch, {})).toEqual({});
    const patch = { co_host_ids: ["bob", "carol", "bob"], end_time: null };
    expect(checked(PartyPatch, patch)).toEqual({ co_host_ids: ["bob", "carol"], end_time: null });
  });
});

describe("the times of a party", () => {
  const refusal = (its: { start_time: number; end_time?: number | null }) =>
    refusalOf(() => newParty(checked(PartyInput, { ...INPUT, end_time: null, ...its }), minted));

  test.each([
    [{ start_time: NOW }, "none"],
    [{ start_time: NOW - DAY + 1 }, "none"],
    [{ start_time: NOW - DAY }, "start_time"],
    [{ start_time: NOW + 366 * DAY }, "none"],
    [{ start_time: NOW + 366 * DAY + 1 }, "start_time"],
    [{ start_time: NOW * 1_000 }, "start_time"],
    [{ start_time: NOW - HOUR, end_time: NOW + 1 }, "none"],
    [{ start_time: NOW - HOUR, end_time: NOW }, "end_time"],
    [{ start_time: NOW + HOUR, end_time: NOW + HOUR }, "end_time"],
    [{ start_time: NOW + HOUR, end_time: NOW + HOUR + DAY }, "none"],
    [{ start_time: NOW + HOUR, end_time: NOW + HOUR + DAY + 1 }, "end_time"],
  ])("%j: %s is refused", (its, path) => {
    expect(refusal(its)).toBe(path);
  });

  test("it ends at its end, or else after a day", () => {
    expect(endOf(TIMES)).toBe(TIMES.end_time);
    expect(endOf({ start_time: NOW, end_time: 0 })).toBe(NOW + LONGEST_PARTY_MS);
  });
});

describe("a change", () => {
  const scheduled = partyOf("p", { ...TIMES, co_host_ids: ["bob" as UserId] });
  const ongoing = partyOf("p", { ...TIMES, status: "ONGOING", started_at: TIMES.start_time });
  const change = (patch: object, party = scheduled, now = NOW) =>
    patched(party, checked(PartyPatch, patch), now);

  test("is of what it names, and nothing else", () => {
    expect(change({})).toEqual(scheduled);
    expect(change({ title: "T" })).toEqual({ ...scheduled, title: "T" });
    const all = { title: "T", content_id: "c", visibility: "invite", start_time: NOW + 1, end_time: NOW + 2 };
    expect(change({ ...all, co_host_ids: [] })).toEqual({ ...scheduled, ...all, co_host_ids: [] });
    expect(change({ end_time: null })).toEqual({ ...scheduled, end_time: 0 });
  });

  test("never makes the host a co-host", () => {
    expect(change({ co_host_ids: ["alice", "carol"] }).co_host_ids).toEqual(["carol"]);
  });

  test("of times is looked at with those that stay", () => {
    expect(refusalOf(() => change({ start_time: TIMES.end_time }))).toBe("end_time");
    expect(refusalOf(() => change({ end_time: TIMES.start_time }))).toBe("end_time");
    // Nobody asks whether times that stay are right.
    expect(change({ title: "T" }, scheduled, NOW + 3 * HOUR).title).toBe("T");
  });

  test("of what is on leaves what plays and when it began", () => {
    const now = TIMES.start_time + 1;
    expect(refusalOf(() => change({ content_id: "c" }, ongoing, now))).toBe("wrong_state");
    expect(refusalOf(() => change({ start_time: NOW }, ongoing, now))).toBe("wrong_state");
    expect(refusalOf(() => change({ end_time: now }, ongoing, now))).toBe("end_time");
    const patch = { title: "T", visibility: "invite", end_time: now + 1, co_host_ids: ["bob"] };
    expect(change(patch, ongoing, now)).toEqual({ ...ongoing, ...patch });
  });

  test.each(["FINISHED", "CANCELLED"] as const)("of what is %s there is none", (status) => {
    for (const patch of [{}, { title: "T" }, { co_host_ids: [] }]) {
      expect(refusalOf(() => change(patch, { ...scheduled, status }))).toBe("wrong_state");
    }
  });
});

describe("what a client gets", () => {
  test("has times as text, and the invite code for leaders only", () => {
    const party = partyOf("p", { ...TIMES, status: "ONGOING", started_at: TIMES.start_time + 5 });
    const view = partyView(party, { capacity: 9, leads: false });
    expect(PartyView.strict().parse(view)).toEqual(view);
    expect(view).toEqual({
      ...{ party_id: "p", title: "The Final", content_id: "match", host_id: "alice", co_host_ids: [] },
      ...{ visibility: "public", status: "ONGOING", start_time: "2026-01-01T01:00:00.000Z" },
      ...{ end_time: "2026-01-01T02:00:00.000Z", started_at: "2026-01-01T01:00:00.005Z", ended_at: null },
      ...{ capacity: 9, peak_viewers: null, average_viewers: null },
    });
    expect(partyView(party, { capacity: 9, leads: true }).invite_code).toBe("invite-p");
  });

  test("names a message as the room does", () => {
    const its = { at: NOW, media_time: 1.5, user_id: "b:ob" as UserId, name: null, text: "hi" };
    const view = { ...its, at: "2026-01-01T00:00:00.000Z" };
    expect(messageView({ ...its, event_id: "chat:b:ob:m:1" })).toEqual({ ...view, id: "m:1" });
    expect(messageView({ ...its, user_id: null, event_id: "e" })).toEqual({
      ...view,
      user_id: null,
      id: "e",
    });
  });

  test("is told of by events under ids that repeat", () => {
    const its = { ...TIMES, started_at: TIMES.start_time + 5, ended_at: TIMES.end_time + 5 };
    const hosted = { ...partyOf("p", { ...its, status: "FINISHED" }), host_id: "alice" as UserId };
    expect(partyEnded(hosted, { reason: "host", peak_viewers: 3 })).toMatchObject({
      ...{ id: "p/ended", subject: "alice", time: "2026-01-01T02:00:00.005Z" },
      data: { user_id: "alice", end_time: "2026-01-01T02:00:00.005Z", reason: "host", peak_viewers: 3 },
    });
    const endless = partyStarted({ ...hosted, status: "ONGOING", end_time: 0 });
    expect(endless).toMatchObject({
      ...{ id: "p/started", type: "PartyStarted", time: "2026-01-01T01:00:00.005Z" },
      data: { start_time: "2026-01-01T01:00:00.000Z", end_time: null, status: "ONGOING" },
    });
    expect(JSON.stringify(endless)).not.toContain("invite");
  });
});

describe("who may", () => {
  const secret = partyOf("p", { visibility: "invite", co_host_ids: ["bob" as UserId] });
  const open = partyOf("p");
  const viewer = (user_id: string, ...roles: Role[]): Viewer => ({ user_id: user_id as UserId, roles });
  const alice = viewer("alice", "user");
  const bob = viewer("bob", "user");
  const eve = viewer("eve", "user");
  const [support, service, admin] = (["support", "service", "admin"] as const).map((role) =>
    viewer("staff", role),
  ) as [Viewer, Viewer, Viewer];

  test.each([
    [alice, true, true],
    [bob, true, true],
    [eve, false, false],
    [viewer("Alice", "user"), false, false],
    [support, true, false],
    [service, true, false],
    [admin, true, false],
  ])("see and join what is for the invited: %o", (who, see, join) => {
    expect([maySeeParty(who, secret, null), mayJoinParty(who, secret, null)]).toEqual([see, join]);
    expect([maySeeParty(who, secret, "invite-q"), mayJoinParty(who, secret, "invite-q")]).toEqual([
      see,
      join,
    ]);
    expect([maySeeParty(who, secret, ""), mayJoinParty(who, secret, "")]).toEqual([see, join]);
    expect([maySeeParty(who, secret, "invite-p"), mayJoinParty(who, secret, "invite-p")]).toEqual([
      true,
      true,
    ]);
    expect([maySeeParty(who, open, null), mayJoinParty(who, open, null)]).toEqual([true, true]);
  });

  test.each([
    [alice, ["none", "none", "none"]],
    [bob, ["none", "forbidden", "none"]],
    [eve, ["forbidden", "forbidden", "forbidden"]],
    [support, ["forbidden", "forbidden", "none"]],
    [service, ["none", "none", "none"]],
    [admin, ["none", "none", "none"]],
  ])("change it, name co-hosts, look back on it: %o", (who, refusals) => {
    const party = { ...open, co_host_ids: ["bob" as UserId] };
    expect(
      [mustLeadParty, mustHostParty, mustSeePartyLogs].map((must) => refusalOf(() => must(who, party))),
    ).toEqual(refusals);
  });

  test("nobody leads instead of a host who was erased", () => {
    const orphan = { ...open, host_id: null };
    expect([alice, eve].map((who) => leadsParty(who, orphan))).toEqual([false, false]);
  });
});

describe("what is asked for", () => {
  test("is a page of parties", () => {
    expect(partiesRequest({})).toEqual({ status: null, limit: 20, after: null });
    const query = { status: ["ONGOING"], limit: ["100"], cursor: ["1767229200000_p:1_2"] };
    expect(partiesRequest(query)).toEqual({ status: "ONGOING", limit: 100, after: [1767229200000, "p:1_2"] });
  });

  test("is a page of messages, or of the log", () => {
    expect(messagesRequest({})).toEqual({ from: null, limit: 100, after: null, invite: null });
    const query = { after: ["1830.5"], limit: ["500"], cursor: ["12.25_9_chat:bob:m"], invite: ["code"] };
    expect(messagesRequest(query)).toEqual({
      ...{ from: 1830.5, limit: 500, after: [12.25, 9, "chat:bob:m"], invite: "code" },
    });
    expect(logsRequest({ cursor: ["9_e"] })).toEqual({ limit: 100, after: [9, "e"] });
    expect(inviteIn({ invite: ["code"] })).toBe("code");
    expect(inviteIn({})).toBeNull();
  });

  test.each([
    [partiesRequest, { status: ["ongoing"] }, "status"],
    [partiesRequest, { status: ["ONGOING", "FINISHED"] }, "status"],
    [partiesRequest, { limit: ["0"] }, "limit"],
    [partiesRequest, { limit: ["101"] }, "limit"],
    [partiesRequest, { cursor: ["p"] }, "cursor"],
    [partiesRequest, { cursor: ["5_a\0b"] }, "cursor"],
    [partiesRequest, { cursor: ["5_"] }, "cursor"],
    [partiesRequest, { state: ["ONGOING"] }, "state"],
    [inviteIn, { invites: ["x"] }, "invites"],
    [inviteIn, { invite: ["x", "y"] }, "invite"],
    [messagesRequest, { after: ["-1"] }, "after"],
    [messagesRequest, { after: ["1e3"] }, "after"],
    [messagesRequest, { after: ["12_5_e"] }, "after"],
    [messagesRequest, { limit: ["501"] }, "limit"],
    [messagesRequest, { cursor: ["9_e"] }, "cursor"],
    [messagesRequest, { cursor: ["NaN_9_e"] }, "cursor"],
    [messagesRequest, { before: ["9"] }, "before"],
    [logsRequest, { after: ["9"] }, "after"],
    [logsRequest, { cursor: ["1.5_e"] }, "cursor"],
    [logsRequest, { invite: ["code"] }, "invite"],
  ])("%o of %j is refused: %s", (request, query, path) => {
    expect(refusalOf(() => request(query as Record<string, string[]>))).toBe(path);
  });

  test("a cursor comes back as the place that it was made of", () => {
    const seconds = fc.double({ min: 0, max: 1e8, noNaN: true }).map(Math.abs);
    const id = fc.stringMatching(/^[!-~]{1,300}$/);
    fc.assert(
      fc.property(seconds, fc.nat(1e12), id, (media_time, at, event_id) => {
        const place = [media_time, at, event_id] as const;
        const cursor = cursorOf(place);
        fc.pre(cursor.length <= 400);
        expect(messagesRequest({ cursor: [cursor] }).after).toEqual(place);
        expect(comparePlaces(place, place)).toBe(0);
      }),
      // As many digits as a number has at most, and one that has an exponent.
      {
        examples: [
          [1.0000000000000002e-6, 0, "!"],
          [1.0000000000000002e-7, 0, "!"],
        ],
      },
    );
  });

  test("places are in the order of Postgres: numbers first, then ids as bytes", () => {
    const places = [
      [1, 5, "b"],
      [1, 10, "B"],
      [1, 10, "a"],
      [1.5, 2, "a"],
      [10, 1, "a"],
    ] as [number, number, string][];
    expect([...places].reverse().sort(comparePlaces)).toEqual(places);
  });
});
