import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { PartyLogsView, PartyView } from "../../db/contract/party-views.ts";
import { committedEvents, partyOf, rememberOutbox, storeParties } from "../support/parties.ts";
import { partyClient } from "../support/party-client.ts";
import { until } from "../support/until.ts";
import { createWorld, SECRET, type World } from "../support/world.ts";

/** Parties over REST: through the edge, and asked of ingest itself, where it is the same. */

const HOUR = 3_600_000;
const json = { "content-type": "application/json" };

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await rememberOutbox(world.db);
});
afterAll(() => world.stop());

async function write(as: string, method: string, path: string, body: unknown, more = {}): Promise<Response> {
  return await world.ask(path, { as, method, headers: json, body: JSON.stringify(body), ...more });
}

function input(its: object = {}) {
  const start_time = new Date(Date.now() + HOUR).toISOString();
  return { title: "The Final", content_id: "match", start_time, visibility: "public", ...its };
}

async function create(as: string, its: object = {}): Promise<PartyView> {
  const answer = await write(as, "POST", "/parties", input(its));
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as PartyView;
}

async function read<T = unknown>(as: string, path: string, more = {}): Promise<[status: number, body: T]> {
  const answer = await world.ask(path, { as, ...more });
  const text = await answer.text();
  return [answer.status, text === "" ? null : JSON.parse(text)];
}

async function statusOf(party_id: string, as = "alice"): Promise<string> {
  return (await read<PartyView>(as, `/parties/${party_id}`))[1].status;
}

/** A party that is on. */
async function opened(as: string, its: object = {}): Promise<PartyView> {
  const party = await create(as, { start_time: Date.now(), ...its });
  await until(async () => (await statusOf(party.party_id, as)) === "ONGOING", { what: "the party to open" });
  return party;
}

test.each([
  ["POST", "{", 400, null],
  ["POST", "{}", 422, "title"],
  ["POST", JSON.stringify({ ...input(), host_id: "bob" }), 422, "host_id"],
  ["PATCH", JSON.stringify({ status: "FINISHED" }), 422, "status"],
])("%s with %s is refused", async (method, body, status, path) => {
  const { party_id } = await create("alice");
  const to = method === "POST" ? "/parties" : `/parties/${party_id}`;
  const answer = await world.ask(to, { as: "alice", method, headers: json, body });
  const { errors } = (await answer.json()) as { errors?: { path: string }[] };
  expect([answer.status, errors?.some((fault) => fault.path === path) ?? null]).toEqual([
    status,
    path && true,
  ]);
});

describe("a party", () => {
  test("is made, and found where it says", async () => {
    const start_time = new Date(Date.now() + HOUR).toISOString();
    const answer = await write("alice", "POST", "/parties", input({ start_time }));
    expect(answer.status).toBe(201);
    const party = (await answer.json()) as PartyView;
    expect(party).toEqual({
      ...{ party_id: expect.stringMatching(/^[\w-]{36}$/), title: "The Final", content_id: "match" },
      ...{ host_id: "alice", co_host_ids: [], visibility: "public", status: "SCHEDULED" },
      ...{ start_time, end_time: null, started_at: null, ended_at: null, capacity: 100 },
      ...{ invite_code: expect.stringMatching(/^[\w-]{36}$/), peak_viewers: null, average_viewers: null },
    });
    expect(answer.headers.get("location")).toBe(`/parties/${party.party_id}`);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("vary")).toContain("Authorization");
    expect(await read("alice", `/parties/${party.party_id}`)).toEqual([200, party]);
    const { invite_code: _, ...seen } = party;
    expect(await read("bob", `/parties/${party.party_id}`)).toEqual([200, seen]);
  });

  test("opens by itself and ends by itself, is counted, and is published once each", async () => {
    const end_time = new Date(Date.now() + 1_500).toISOString();
    const { party_id } = await opened("alice", { end_time });
    await until(async () => (await statusOf(party_id, "bob")) === "FINISHED");
    const [, party] = await read<PartyView>("bob", `/parties/${party_id}`);
    expect(party.end_time).toBe(end_time);
    expect(Date.parse(party.ended_at ?? "")).toBeGreaterThanOrEqual(Date.parse(end_time));
    const told = (await committedEvents(world.db)).filter(({ data }) => data.party_id === party_id);
    expect(told.map(({ id, subject }) => [id, subject])).toEqual([
      [`${party_id}/started`, "alice"],
      [`${party_id}/ended`, "alice"],
    ]);
    // Once everything of it is in Postgres.
    await until(async () => (await read<PartyView>("bob", `/parties/${party_id}`))[1].peak_viewers === 0);
  });

  test.each([
    [{ end_time: Date.now() - HOUR }, "end_time"],
    [{ start_time: Date.now() - 25 * HOUR }, "start_time"],
  ])("with times at which there can be none is 422", async (times, path) => {
    const answer = await write("alice", "POST", "/parties", input(times));
    expect([answer.status, await answer.json()]).toMatchObject([422, { errors: [{ path }] }]);
  });

  test("with what is not JSON is refused by ingest as well", async () => {
    const at = world.ingestUrl;
    for (const method of ["POST", "PATCH"]) {
      const path = method === "POST" ? "/parties" : "/parties/p";
      expect((await write("alice", method, path, { title: "" }, { at })).status).toBe(422);
      const text = await world.ask(path, {
        method,
        at,
        headers: { "content-type": "text/plain" },
        body: "{}",
      });
      expect(text.status).toBe(415);
      expect((await world.ask(path, { method, at, headers: json, body: "{" })).status).toBe(400);
    }
    expect((await read("alice", "/parties?mine=1", { at }))[0]).toBe(422);
    expect((await read("alice", "/parties/p?code=1", { at }))[0]).toBe(422);
    expect((await read("alice", "/parties/p/messages?before=1", { at }))[0]).toBe(422);
    expect((await read("alice", "/parties/a%20b", { at }))[0]).toBe(422);
  });
});

describe("who may", () => {
  const ROUTES = [
    ["GET", "", undefined, 200],
    ["GET", "/messages", undefined, 200],
    ["GET", "/logs", undefined, 200],
    ["PATCH", "", { title: "Another" }, 200],
    ["PATCH", "", { co_host_ids: ["bob"] }, 200],
    ["DELETE", "", undefined, 204],
  ] as const;
  const EVERYTHING = ROUTES.map(([, , , status]) => status);

  /** What each route says to somebody, of a party of its own. */
  async function answers(as: string, roles: string[], visibility: string, at: string): Promise<number[]> {
    const statuses: number[] = [];
    for (const [n, [method, path, body]] of ROUTES.entries()) {
      const party_id = `${visibility}-${as}-${at === world.edgeUrl ? "edge" : "ingest"}-${n}`;
      const co_host_ids = ["bob" as UserId];
      const start_time = Date.now() + HOUR;
      const its = { co_host_ids, start_time, visibility: visibility as "public" };
      await storeParties(world.db, partyOf(party_id, its));
      await world.db.execute(sql`INSERT INTO watch_party_members VALUES (${party_id}, 'carol', 1, 0)`);
      const sent = body === undefined ? {} : { headers: json, body: JSON.stringify(body) };
      const answer = await world.ask(`/parties/${party_id}${path}`, {
        as,
        token: { roles },
        method,
        at,
        ...sent,
      });
      statuses.push(answer.status);
    }
    return statuses;
  }

  test.each([
    ["alice", ["user"], EVERYTHING, EVERYTHING],
    ["bob", ["user"], [200, 200, 200, 200, 403, 204], [200, 200, 200, 200, 403, 204]],
    ["carol", ["user"], [200, 200, 403, 403, 403, 403], [200, 200, 403, 403, 403, 403]],
    ["eve", ["user"], [200, 200, 403, 403, 403, 403], [404, 404, 404, 404, 404, 404]],
    ["Alice", ["user"], [200, 200, 403, 403, 403, 403], [404, 404, 404, 404, 404, 404]],
    ["sue", ["support"], [200, 200, 200, 403, 403, 403], [200, 200, 200, 403, 403, 403]],
    ["svc", ["service"], EVERYTHING, EVERYTHING],
    ["root", ["admin"], EVERYTHING, EVERYTHING],
  ])("%s as %j", async (as, roles, ofPublic, ofInvited) => {
    for (const at of [world.edgeUrl, world.ingestUrl]) {
      expect(await answers(as, roles, "public", at)).toEqual(ofPublic);
      expect(await answers(as, roles, "invite", at)).toEqual(ofInvited);
    }
  });

  test("the invite code opens what it is for, and is told to leaders alone", async () => {
    const { party_id, invite_code } = await create("alice", { visibility: "invite" });
    const other = await create("alice", { visibility: "invite" });
    const path = `/parties/${party_id}`;
    const [status, seen] = await read<PartyView>("eve", `${path}?invite=${invite_code}`);
    expect([status, seen.party_id, seen.invite_code]).toEqual([200, party_id, undefined]);
    expect((await read("eve", `${path}/messages?invite=${invite_code}`))[0]).toBe(200);
    for (const wrong of ["", "x", other.invite_code]) {
      expect((await read("eve", `${path}?invite=${wrong}`))[0]).toBe(404);
      expect((await read("eve", `${path}/messages?invite=${wrong}`))[0]).toBe(404);
    }
    const [, absent] = await read<{ request_id: string }>("eve", "/parties/none");
    const [, hidden] = await read<{ request_id: string }>("eve", path);
    expect({ ...hidden, request_id: "" }).toEqual({ ...absent, request_id: "" });

    await write("alice", "PATCH", path, { co_host_ids: ["bob"] });
    expect((await read<PartyView>("bob", path))[1].invite_code).toBe(invite_code);
    const [, asSupport] = await read<PartyView>("sue", path, { token: { roles: ["support"] } });
    expect(asSupport.invite_code).toBeUndefined();
  });

  test("no token, no answer", async () => {
    for (const at of [world.edgeUrl, world.ingestUrl]) {
      for (const path of ["/parties", "/parties/p", "/parties/p/messages", "/parties/p/logs"]) {
        expect((await fetch(at + path)).status).toBe(401);
      }
    }
  });
});

describe("a change", () => {
  test("is there at once, and of what is on reaches its room", async () => {
    const { party_id } = await opened("alice");
    const path = `/parties/${party_id}`;
    const answer = await write("alice", "PATCH", path, { title: "T", co_host_ids: ["bob", "alice"] });
    const changed = (await answer.json()) as PartyView;
    expect([answer.status, changed.title, changed.co_host_ids]).toEqual([200, "T", ["bob"]]);
    expect((await read("alice", path))[1]).toEqual(changed);
    const room = JSON.parse((await world.redis.hget(`wp:room:{${party_id}}`, "room")) ?? "{}");
    expect(room).toMatchObject({ owner_id: "alice", co_host_ids: ["bob"], capacity: 100 });

    const refused = await write("alice", "PATCH", path, { content_id: "another" });
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: "wrong_state" }]);
    const sooner = await write("alice", "PATCH", path, { end_time: Date.now() + 300 });
    expect(sooner.status).toBe(200);
    await until(async () => (await statusOf(party_id)) === "FINISHED");
    const late = await write("alice", "PATCH", path, { title: "Too late" });
    expect([late.status, await late.json()]).toMatchObject([409, { code: "wrong_state" }]);
  });

  test("to an earlier start opens it then", async () => {
    const { party_id } = await create("alice");
    const answer = await write("alice", "PATCH", `/parties/${party_id}`, { start_time: Date.now() });
    expect(answer.status).toBe(200);
    await until(async () => (await statusOf(party_id)) === "ONGOING");
  });
});

describe("calling it off", () => {
  async function cancel(as: string, party_id: string): Promise<number> {
    return (await world.ask(`/parties/${party_id}`, { as, method: "DELETE" })).status;
  }

  test("before it begins cancels it, once", async () => {
    const { party_id } = await create("alice");
    expect([await cancel("alice", party_id), await cancel("alice", party_id)]).toEqual([204, 204]);
    const [, party] = await read<PartyView>("alice", `/parties/${party_id}`);
    expect(party).toMatchObject({ status: "CANCELLED", started_at: null, ended_at: expect.any(String) });
    const told = (await committedEvents(world.db)).filter(({ data }) => data.party_id === party_id);
    expect(told.map(({ id, data }) => [id, data.status, data.reason])).toEqual([
      [`${party_id}/ended`, "CANCELLED", "cancelled"],
    ]);
  });

  test("while it is on finishes it, and its room, once", async () => {
    const { party_id } = await opened("alice");
    const twice = [cancel("alice", party_id), cancel("alice", party_id), cancel("alice", party_id)];
    expect(await Promise.all(twice)).toEqual([204, 204, 204]);
    expect(await statusOf(party_id)).toBe("FINISHED");
    const told = (await committedEvents(world.db)).filter(({ data }) => data.party_id === party_id);
    expect(told.map(({ data }) => [data.status, data.reason])).toEqual([
      ["ONGOING", undefined],
      ["FINISHED", "cancelled"],
    ]);
    // All that happened in it is looked back on.
    await until(async () => {
      const [, { logs }] = await read<PartyLogsView>("alice", `/parties/${party_id}/logs`);
      const events = logs.map(({ event }) => event);
      return events.length === 2 && events.includes("opened") && events.includes("ended");
    });
  });
});

describe("lists", () => {
  async function listed(as: string, query: string): Promise<string[]> {
    const ids: string[] = [];
    for (let path = `/parties?${query}`; path !== ""; ) {
      const answer = await world.ask(path, { as });
      const page = (await answer.json()) as PartyView[];
      expect(answer.status).toBe(200);
      ids.push(...page.map(({ party_id }) => party_id));
      path = /<([^>]*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1] ?? "";
    }
    return ids.filter((id) => id.startsWith("l-"));
  }

  test("hold what is public and what is one's own, each once, page by page", async () => {
    const start_time = Date.now() + 100 * HOUR;
    const hidden = { visibility: "invite", start_time } as const;
    const bobs = { host_id: "bob" as UserId };
    await storeParties(
      world.db,
      partyOf("l-public", { start_time: start_time + 3 }),
      partyOf("l-hosted", { ...hidden, ...bobs, start_time: start_time + 2 }),
      partyOf("l-helped", { ...hidden, host_id: "x" as UserId, co_host_ids: ["y", "bob"] as UserId[] }),
      partyOf("l-was-in", { ...hidden, status: "CANCELLED" }),
      partyOf("l-public-and-own", { start_time, ...bobs, co_host_ids: ["bob"] as UserId[] }),
      partyOf("l-hidden", hidden),
      partyOf("l-over", { start_time: start_time + 1, status: "CANCELLED" }),
    );
    for (const id of ["l-was-in", "l-hosted", "l-public-and-own"]) {
      await world.db.execute(sql`INSERT INTO watch_party_members VALUES (${id}, 'bob', 1, 0)`);
    }
    const scheduled = ["l-helped", "l-public-and-own", "l-hosted", "l-public"];
    const cancelled = ["l-over", "l-was-in"];
    const all = ["l-public", "l-hosted", "l-over", "l-was-in", "l-public-and-own", "l-helped"];
    for (const limit of [1, 2, 100]) {
      expect(await listed("bob", `status=SCHEDULED&limit=${limit}`)).toEqual(scheduled);
      expect(await listed("bob", `status=CANCELLED&limit=${limit}`)).toEqual(cancelled);
      expect(await listed("bob", `limit=${limit}`)).toEqual(all);
    }
    expect(await listed("eve", "status=SCHEDULED")).toEqual(["l-public-and-own", "l-public"]);
    expect(await listed("bo", "")).toEqual(["l-public", "l-over", "l-public-and-own"]);
  });
});

test("who comes by invitation may come back to look, and reads what was said, at once and after it", async () => {
  const { party_id, invite_code } = await opened("alice", { visibility: "invite" });
  const path = `/parties/${party_id}`;
  const [alice, bob] = await Promise.all(
    ["alice", "bob"].map((user) => partyClient({ url: world.ingestUrl, secret: SECRET, user })),
  );
  onTestFinished(() => {
    alice?.close();
    bob?.close();
  });
  expect((await read("bob", path))[0]).toBe(404);
  expect(await bob?.join(party_id, invite_code)).toEqual({ ok: true });
  expect(await alice?.join(party_id)).toEqual({ ok: true });
  await until(async () => (await read("bob", path))[0] === 200, { what: "bob to be a member" });
  const [, own] = await read<PartyView[]>("bob", "/parties?status=ONGOING&limit=100");
  expect(own.map((party) => party.party_id)).toContain(party_id);

  expect(await bob?.ask("chat", { id: "m-1", text: "Hello" })).toEqual({ ok: true });
  expect(await alice?.ask("like", { count: 3 })).toEqual({ ok: true });
  const said = await alice?.hears("chat");
  // Counts are kept as they are told, twice a second.
  await alice?.hears("viewers", ({ count }) => count === 2);
  const [, messages] = await read<object[]>("bob", `${path}/messages`);
  expect(messages).toEqual([{ ...said, at: new Date(said?.at ?? 0).toISOString() }]);
  const [, during] = await read<PartyLogsView>("alice", `${path}/logs`);
  expect(during).toMatchObject({ party_id, likes: 3, peak_viewers: 2 });

  expect(await alice?.ask("end")).toEqual({ ok: true });
  const [, party] = await until(async () => {
    const seen = await read<PartyView>("bob", path);
    return seen[1].peak_viewers === null ? null : seen;
  });
  expect(party).toMatchObject({ status: "FINISHED", peak_viewers: 2 });
  expect(party.average_viewers).toBeGreaterThan(0);
  expect(party.average_viewers).toBeLessThanOrEqual(2);
  expect((await read("bob", `${path}/messages`))[1]).toEqual(messages);
  const [, after] = await read<PartyLogsView>("alice", `${path}/logs`);
  expect(after).toMatchObject({ likes: 3, peak_viewers: 2, average_viewers: party.average_viewers });
  expect(after.logs.map(({ event }) => event)).toContain("ended");
  const told = (await committedEvents(world.db)).filter(({ data }) => data.party_id === party_id);
  expect(told.map(({ data }) => [data.reason, data.peak_viewers])).toEqual([
    [undefined, undefined],
    ["host", 2],
  ]);
});

test("whoever watches with others has it in the history, through a session of their own", async () => {
  const { party_id } = await opened("alice", { content_id: "shared-match" });
  for (const [user, position] of [
    ["alice", 600],
    ["bob", 660],
  ] as const) {
    const its = { user_id: user, content_id: "shared-match", device_id: "tv", duration_seconds: 3_600 };
    const started = await write(user, "POST", "/api/v1/sessions", its);
    const { id } = (await started.json()) as { id: string };
    const at = { position_seconds: position, playback_state: "playing" };
    expect((await write(user, "PATCH", `/api/v1/sessions/${id}/position`, at)).status).toBe(200);
  }
  await world.ask(`/parties/${party_id}`, { method: "DELETE" });
  await world.drained();
  for (const [user, position] of [
    ["alice", 600],
    ["bob", 660],
  ] as const) {
    const found = (await world.history(user)).filter(({ content_id }) => content_id === "shared-match");
    expect(found).toMatchObject([{ playback_time: position, resume_position_seconds: position }]);
  }
});
