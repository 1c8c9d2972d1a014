import { describe, expect, test } from "vitest";
import type { Entry } from "../../db/contract/events.ts";
import { MAX_BODY_BYTES } from "../../db/contract/requests.ts";
import { type KnownSession, positionEntry, reported, sessionView } from "../../db/contract/sessions.ts";
import type { EdgeDeps, EdgeRedis } from "../../edge/deps.ts";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { RedisFailed } from "../../edge/redis.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { sessionOf } from "../support/sessions.ts";
import { tokenFor } from "../support/tokens.ts";

const SESSION = "/api/v1/sessions/s";
const POSITION = `${SESSION}/position`;
const NEW = { user_id: "alice", content_id: "movie", device_id: "tv", duration_seconds: 3_600 };
const ROUTES = [
  ["POST", "/api/v1/sessions", NEW],
  ["GET", SESSION, null],
  ["PATCH", POSITION, { position_seconds: 1 }],
  ["DELETE", SESSION, null],
] as const;
const session = sessionOf("s");
const live: KnownSession = { state: "live", session };
const ended: KnownSession = { state: "ended", user_id: session.user_id };

/** An edge where Redis says this of every session, and takes events, or does not. */
function edgeWith(known: KnownSession | Error, more: Partial<EdgeDeps> = {}, taken: boolean | Error = true) {
  const entries: Entry[] = [];
  const redis: EdgeRedis = {
    ...fakeRedis,
    readSession: async () => {
      if (known instanceof Error) throw known;
      return known;
    },
    append: async (entry) => {
      if (taken instanceof Error) throw taken;
      if (taken) entries.push(entry);
      return taken;
    },
  };
  return { ...fakeEdge({ redis, ...more }), entries };
}
const unused = () => Promise.reject(new Error("not of this test"));
const fakeRedis: EdgeRedis = {
  ...{ readHistory: unused, search: unused, facets: unused, readItem: unused },
  ...{ continueWatching: unused, readChanges: unused, readSession: unused, append: unused, ping: unused },
  countRequests: unused,
  ...{ readProfile: unused, readWatchlist: unused, readRatings: unused },
};
const away = { ingest: () => Promise.reject(new IngestUnreachable("TimeoutError")) };

type Asking = {
  as?: string;
  roles?: string[];
  type?: string;
  edge?: { app: ReturnType<typeof edgeWith>["app"] };
};

async function ask(method: string, path: string, body: unknown = null, asking: Asking = {}) {
  const { as = "alice", roles, type = "application/json", edge = edgeWith(live) } = asking;
  const token = await tokenFor(SECRET, as, roles ? { roles } : {});
  const headers = { authorization: `Bearer ${token}`, "content-type": type };
  const text = body === null || typeof body === "string" ? body : JSON.stringify(body);
  return await edge.app.request(path, { method, headers, ...(text === null ? {} : { body: text }) });
}

async function codeOf(answer: Response) {
  const { code, errors } = (await answer.json()) as { code: string; errors?: { path: string }[] };
  return { status: answer.status, code, paths: errors?.map(({ path }) => path) };
}

describe.each(ROUTES)("%s %s", (method, path, body) => {
  test("without a token is 401", async () => {
    const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const { app, asked } = edgeWith(live);
    const answer = await app.request(path, method === "GET" ? { method } : init);
    expect([answer.status, asked]).toEqual([401, []]);
  });

  test("of somebody else is refused, and not even found, but for those who may", async () => {
    // What the edge forwards is ingest's to refuse, who knows the session: here it is asked in its place.
    const fallback = method === "PATCH" ? away : {};
    const as = async (user: string, ...roles: string[]) =>
      await ask(method, path, body, { as: user, roles, edge: edgeWith(live, fallback) });
    const forwarded = method === "DELETE";
    if (!forwarded)
      expect(await codeOf(await as("bob", "user"))).toMatchObject(
        method === "POST" ? { status: 403, code: "forbidden" } : { status: 404, code: "not_found" },
      );
    const support = await as("bob", "support");
    if (!forwarded)
      expect([method, support.status]).toBeOneOf([
        ["GET", 200],
        ["POST", 403],
        ["PATCH", 404],
      ]);
    for (const role of ["service", "admin"]) expect((await as("bob", role)).status).toBeLessThan(300);
  });

  if (method === "PATCH" || method === "POST") {
    test.each([
      ["no JSON", "{", 400, "malformed_json"],
      ["nothing", "", 400, "malformed_json"],
      ["too much", `"${"x".repeat(MAX_BODY_BYTES)}"`, 413, "body_too_large"],
      ["no object", "[]", 422, "invalid_input"],
    ])("with %s is refused before ingest is asked", async (_, text, status, code) => {
      const edge = edgeWith(live);
      expect(await codeOf(await ask(method, path, text, { edge }))).toMatchObject({ status, code });
      expect(edge.asked).toEqual([]);
    });

    test("with another type is 415", async () => {
      const answer = await ask(method, path, body, { type: "text/plain" });
      expect(await codeOf(answer)).toMatchObject({ status: 415, code: "unsupported_media_type" });
    });
  }
});

describe("bad input is 422 with the path of each fault", () => {
  test.each([
    [
      "POST",
      "/api/v1/sessions",
      { ...NEW, user_id: "a b", duration_seconds: -1 },
      ["user_id", "duration_seconds"],
    ],
    ["POST", "/api/v1/sessions", {}, ["user_id", "content_id", "device_id"]],
    [
      "PATCH",
      POSITION,
      { position_seconds: 1e12, playback_state: "x" },
      ["position_seconds", "playback_state"],
    ],
    ["PATCH", "/api/v1/sessions/a%20b/position", { position_seconds: 1 }, ["session_id"]],
    ["GET", "/api/v1/sessions/a%20b", null, ["session_id"]],
    ["DELETE", "/api/v1/sessions/a%20b", null, ["session_id"]],
  ])("%s %s %j", async (method, path, body, paths) => {
    const edge = edgeWith(live);
    const refused = await codeOf(await ask(method, path, body, { edge }));
    expect(refused).toEqual({ status: 422, code: "invalid_input", paths });
    expect(edge.asked).toEqual([]);
  });
});

describe("what ingest is asked", () => {
  test.each([ROUTES[0], ROUTES[2], ROUTES[3]])(
    "%s %s, with a stamp and the very same bytes",
    async (...route) => {
      const [method, path, body] = route;
      const edge = fakeEdge({ now: () => 1_234 });
      const text = body && ` ${JSON.stringify(body)}\n`;
      await ask(method, path, text, { edge });
      const [asked, ...more] = edge.asked;
      expect(more).toEqual([]);
      expect(asked).toMatchObject({ method, path, deadlineMs: 100 });
      expect(asked?.headers).toMatchObject({ "playhead-received-at": "1234", "playhead-arrival-id": "id-1" });
      expect(asked?.body && new TextDecoder().decode(asked.body)).toBe(text ?? undefined);
    },
  );

  test("and what it says is said again, with where the session is found", async () => {
    const headers = new Headers({ location: SESSION, "content-type": "application/json", "x-internal": "1" });
    const body = new TextEncoder().encode('{"id":"s"}').buffer;
    const edge = edgeWith(live, { ingest: async () => ({ status: 201, headers, body }) });
    const answer = await ask("POST", "/api/v1/sessions", NEW, { edge });
    expect([answer.status, await answer.json()]).toEqual([201, { id: "s" }]);
    expect(answer.headers.get("location")).toBe(SESSION);
    expect(answer.headers.get("x-internal")).toBeNull();
  });

  test.each([404, 503])("a %i of it stays one", async (status) => {
    const ingest = async () => ({ status, headers: new Headers(), body: new ArrayBuffer(0) });
    for (const [method, path, body] of [ROUTES[0], ROUTES[2], ROUTES[3]]) {
      const edge = edgeWith(live, { ingest });
      expect((await ask(method, path, body, { edge })).status).toBe(status);
      expect(edge.entries).toEqual([]);
    }
  });
});

describe("a session", () => {
  test("comes from Redis, and nobody keeps it", async () => {
    const edge = edgeWith(live);
    const answer = await ask("GET", SESSION, null, { edge });
    expect([answer.status, await answer.json()]).toEqual([200, sessionView(session)]);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("vary")).toContain("Authorization");
    expect(edge.asked).toEqual([]);
  });

  test.each([
    ["unknown", { state: "unknown" } as const],
    ["over", ended],
  ])("that is %s is 404", async (_, known) => {
    const edge = edgeWith(known);
    expect(await codeOf(await ask("GET", SESSION, null, { edge }))).toMatchObject({
      status: 404,
      code: "not_found",
    });
    expect(edge.asked).toEqual([]);
  });

  test("comes from ingest when Redis fails, and from nowhere when both do", async () => {
    const failing = edgeWith(new RedisFailed("TimeoutError"));
    expect((await ask("GET", SESSION, null, { edge: failing })).status).toBe(202);
    expect(failing.asked).toMatchObject([{ method: "GET", path: SESSION }]);
    const nothing = edgeWith(new RedisFailed("TimeoutError"), away);
    const answer = await ask("GET", SESSION, null, { edge: nothing });
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await codeOf(answer)).toMatchObject({ status: 503, code: "unavailable" });
  });
});

test.each([ROUTES[0], ROUTES[3]])("while ingest is away %s %s is 503", async (method, path, body) => {
  const edge = edgeWith(live, away);
  const answer = await ask(method, path, body, { edge });
  expect(answer.headers.get("retry-after")).toBe("5");
  expect(await codeOf(answer)).toMatchObject({ status: 503, code: "unavailable" });
  expect(edge.entries).toEqual([]);
});

describe("a position while ingest is away", () => {
  const input = { position_seconds: 700, playback_state: "paused" } as const;
  const stamp = { received_at: session.updated_at + 9, arrival_id: "id-1" };
  const now = { now: () => stamp.received_at };

  test("is appended by the edge, the same event that ingest would make", async () => {
    const edge = edgeWith(live, { ...away, ...now });
    const answer = await ask("PATCH", POSITION, input, { edge });
    expect([answer.status, await answer.json()]).toEqual([
      202,
      sessionView(reported(session, input, stamp.received_at)),
    ]);
    expect(edge.entries).toEqual([positionEntry(session, input, stamp)]);
    expect(edge.logged).toEqual([expect.stringContaining("TimeoutError")]);
  });

  test.each([
    ["unknown", { state: "unknown" } as const],
    ["over", ended],
  ])("of one that is %s is 404", async (_, known) => {
    const edge = edgeWith(known, away);
    expect((await ask("PATCH", POSITION, input, { edge })).status).toBe(404);
    expect(edge.entries).toEqual([]);
  });

  test("is refused when Redis is away, too, or the backlog is full", async () => {
    const failed = new RedisFailed("TimeoutError");
    for (const [edge, code] of [
      [edgeWith(failed, away), "unavailable"],
      [edgeWith(live, away, failed), "unavailable"],
      [edgeWith(live, away, false), "backlog_full"],
    ] as const) {
      const answer = await ask("PATCH", POSITION, input, { edge });
      expect(await codeOf(answer)).toMatchObject({ status: 503, code });
    }
  });
});

describe("events of a session while ingest is away", () => {
  const beat = { content_id: "movie", playback_time: 5 };
  const post = (edge: ReturnType<typeof edgeWith>, as: string, ...roles: string[]) =>
    ask("POST", "/users/s/playlists/watchhistory", beat, { as, roles, edge });

  test.each([
    ["a service, live", "backend", "service", live, "alice"],
    ["a service, over", "backend", "service", ended, "alice"],
    ["a service, unknown", "backend", "service", { state: "unknown" } as const, "s"],
    ["an admin, live", "boss", "admin", live, "alice"],
    ["a user, live", "bob", "user", live, "bob"],
    ["support, live", "carol", "support", live, "carol"],
  ])("by %s, are of the right user", async (_, as, role, known, owner) => {
    const edge = edgeWith(known, away);
    expect((await post(edge, as, role)).status).toBe(202);
    expect(edge.entries).toMatchObject([{ user_id: owner, session_id: "s" }]);
    const play = owner === "s" ? null : "s";
    expect(edge.entries[0]?.events).toMatchObject([{ play_id: play }]);
  });

  test("are nobody's while nobody can say whose session it is, but a user's own", async () => {
    const failed = new RedisFailed("TimeoutError");
    const refused = await post(edgeWith(failed, away), "backend", "service");
    expect(await codeOf(refused)).toMatchObject({ status: 503, code: "unavailable" });
    expect((await post(edgeWith(failed, away), "bob", "user")).status).toBe(202);
  });

  test("Redis is not asked whose it is while ingest is there", async () => {
    const edge = edgeWith(new Error("asked in vain"));
    expect((await post(edge, "backend", "service")).status).toBe(202);
    expect(edge.entries).toEqual([]);
  });
});

test("a page of a configured origin may report a position", async () => {
  const { app } = edgeWith(live);
  const headers = { origin: "https://app.example.com", "access-control-request-method": "PATCH" };
  const answer = await app.request(POSITION, { method: "OPTIONS", headers });
  expect(answer.headers.get("access-control-allow-methods")?.split(",")).toContain("PATCH");
});
