import { describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../db/contract/requests.ts";
import { edgeConfig } from "../../edge/env.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

const EVENT = JSON.stringify({ content_id: "c", playback_time: 1 });
const ROUTES = [
  ["GET", "/users/alice/watchhistory"],
  ["GET", "/users/alice/watchhistory/c"],
  ["GET", "/profiles/alice/history"],
  ["POST", "/users/alice/playlists/watchhistory"],
  ["POST", "/profiles/alice/history"],
  ["DELETE", "/users/alice/watchhistory/c"],
  ["DELETE", "/users/alice/watchhistory"],
] as const;
const POSTS = ROUTES.filter(([method]) => method === "POST");
/** Whose data it is stands in the path; elsewhere the token decides. */
const OWNED = ROUTES.filter(([, path]) => !path.includes("playlists"));

async function ask(
  method: string,
  path: string,
  { as = "alice", headers = {}, body = EVENT, edge = fakeEdge() } = {},
) {
  const authorization = as === "" ? "" : `Bearer ${await tokenFor(SECRET, as)}`;
  const all = { authorization, "content-type": "application/json", ...headers };
  return await edge.app.request(path, { method, headers: all, ...(method === "POST" ? { body } : {}) });
}

/** A refusal is a problem document with a request id, and says nothing about how this is built. */
async function expectProblem(answer: Response, status: number, code: string) {
  const text = await answer.text();
  expect([answer.status, text]).toEqual([status, expect.any(String)]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const body = JSON.parse(text);
  expect(body).toMatchObject({ type: `urn:playhead:problem:${code}`, status, code });
  expect(body.title).toEqual(expect.any(String));
  expect(body.detail).toEqual(expect.any(String));
  expect(body.request_id).toBe(answer.headers.get("x-request-id"));
  expect(text).not.toMatch(/eyJ|node_modules|\.ts:|EVAL|Bearer eyJ/);
  return body;
}

const UNAUTHORIZED = [
  ["no token", ""],
  ["not a bearer token", "Basic YTpi"],
  ["nonsense", "Bearer nonsense"],
  ["another secret", `Bearer ${await tokenFor("not the secret that is used here", "alice")}`],
  ["an expired token", `Bearer ${await tokenFor(SECRET, "alice", { expiresIn: "-1s" })}`],
] as const;

describe.each(ROUTES)("%s %s refuses", (method, path) => {
  test.each(UNAUTHORIZED)("%s with 401", async (_, authorization) => {
    const edge = fakeEdge();
    const answer = await ask(method, path, { headers: { authorization }, edge });
    await expectProblem(answer, 401, "unauthorized");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(edge.asked).toEqual([]);
  });

  test("what broke unexpectedly with 500, which is logged and says nothing", async () => {
    const verifyToken = () => Promise.reject(new TypeError("secret of the house"));
    const edge = fakeEdge({ verifyToken });
    const answer = await ask(method, path, { edge });
    const body = await expectProblem(answer, 500, "internal");
    expect(JSON.stringify(body)).not.toContain("house");
    expect(edge.logged).toHaveLength(1);
    expect(edge.logged[0]).toContain(body.request_id);
  });
});

describe("somebody else's data is refused", () => {
  test.each(OWNED)("%s %s", async (method, path) => {
    const edge = fakeEdge();
    await expectProblem(await ask(method, path, { as: "mallory", edge }), 403, "forbidden");
    expect(edge.asked).toEqual([]);
  });

  test.each(OWNED)("and support may only read: %s %s", async (method, path) => {
    const authorization = `Bearer ${await tokenFor(SECRET, "sue", { roles: ["support"] })}`;
    const { status } = await ask(method, path, { headers: { authorization } });
    if (method === "GET") expect([200, 404]).toContain(status);
    else expect(status).toBe(403);
  });

  test.each(OWNED)("a service may: %s %s", async (method, path) => {
    const authorization = `Bearer ${await tokenFor(SECRET, "svc", { roles: ["service"] })}`;
    expect([200, 202, 404]).toContain((await ask(method, path, { headers: { authorization } })).status);
  });
});

describe("paths and queries", () => {
  test.each([
    ["GET", "/users/a%20b/watchhistory", "user_id"],
    ["GET", "/users/%7Balice%7D/watchhistory", "user_id"],
    ["GET", "/profiles/a%2Fb/history", "user_id"],
    ["GET", `/users/alice/watchhistory/${"x".repeat(129)}`, "content_id"],
    ["DELETE", "/users/alice/watchhistory/a%00b", "content_id"],
    ["DELETE", "/users/a%20b/watchhistory", "user_id"],
    ["POST", "/users/a%20b/playlists/watchhistory", "session_id"],
    ["POST", "/profiles/a%20b/history", "user_id"],
    ["GET", "/users/alice/watchhistory?limit=0", "limit"],
    ["GET", "/users/alice/watchhistory?limit=ten", "limit"],
    ["GET", "/users/alice/watchhistory?cursor=mine", "cursor"],
    ["DELETE", "/users/alice/watchhistory?before=yesterday", "before"],
    ["DELETE", "/users/alice/watchhistory?before=2026-01-01T00:00:00", "before"],
    ["DELETE", "/users/alice/watchhistory?before=", "before"],
  ])("%s %s names what is wrong: %s", async (method, path, at) => {
    const edge = fakeEdge();
    const body = await expectProblem(await ask(method, path, { edge }), 422, "invalid_input");
    expect(body.errors[0].path).toBe(at);
    expect(edge.asked).toEqual([]);
  });

  test.each([
    ["GET", "/"],
    ["GET", "/users"],
    ["POST", "/users/alice"],
    ["GET", "/users/alice/watchhistory/c/d"],
    ["GET", "/edge/app.ts"],
    ["GET", "/../package.json"],
  ])("%s %s is not there", async (method, path) => {
    await expectProblem(await ask(method, path), 404, "not_found");
  });

  test.each([
    ["PUT", "/users/alice/watchhistory", "GET, HEAD, DELETE"],
    ["POST", "/users/alice/watchhistory/c", "GET, HEAD, DELETE"],
    ["GET", "/users/alice/playlists/watchhistory", "POST"],
    ["DELETE", "/profiles/alice/history", "GET, HEAD, POST"],
    ["POST", "/health", "GET, HEAD"],
  ])("%s %s: 405, it answers %s", async (method, path, allow) => {
    const answer = await ask(method, path);
    await expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")?.split(", ").toSorted()).toEqual(allow.split(", ").toSorted());
  });
});

describe.each(POSTS)("the body of %s %s", (method, path) => {
  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])(
    "as %j is 415",
    async (type) => {
      const answer = await ask(method, path, { headers: { "content-type": type } });
      await expectProblem(answer, 415, "unsupported_media_type");
    },
  );

  test.each(["application/json", "application/json; charset=utf-8", "Application/JSON"])(
    "as %s is taken",
    async (type) => {
      expect((await ask(method, path, { headers: { "content-type": type } })).status).toBe(202);
    },
  );

  test("over a megabyte is 413, at a megabyte it is taken", async () => {
    const edge = fakeEdge();
    const tooLarge = await ask(method, path, { body: " ".repeat(MAX_BODY_BYTES + 1), edge });
    await expectProblem(tooLarge, 413, "body_too_large");
    expect(edge.asked).toEqual([]);
    const atTheLimit = await ask(method, path, {
      body: " ".repeat(MAX_BODY_BYTES),
      headers: { "content-length": String(MAX_BODY_BYTES) },
    });
    expect(atTheLimit.status).toBe(202);
  });
});

test("Redis is told which version a client has, when the tag is of this very query", async () => {
  const edge = fakeEdge();
  const path = "/users/alice/watchhistory?limit=2&cursor=5_a:b";
  const tag = (await ask("GET", path, { edge })).headers.get("etag") ?? "";
  await ask("GET", path, { headers: { "if-none-match": `"else", W/${tag}` }, edge });
  await ask("GET", "/users/alice/watchhistory", { headers: { "if-none-match": tag }, edge });
  await ask("GET", "/users/alice/watchhistory", { headers: { "if-none-match": "*" }, edge });
  expect(edge.knownVersions).toEqual(["", "e.1", "", ""]);
});

describe("CORS", () => {
  const origin = "https://app.example.com";
  const preflight = (from: string) =>
    fakeEdge().app.request("/users/alice/watchhistory", {
      method: "OPTIONS",
      headers: { origin: from, "access-control-request-method": "DELETE" },
    });

  test("a configured origin may ask, and see what it needs", async () => {
    const allowed = await preflight(origin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(allowed.headers.get("access-control-allow-methods")).toContain("DELETE");
    expect(allowed.headers.get("access-control-allow-headers")).toMatch(
      /Authorization.*Content-Type.*If-None-Match/,
    );

    const answer = await ask("GET", "/users/alice/watchhistory", { headers: { origin } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-expose-headers")).toBe(
      "Link,ETag,Retry-After,RateLimit,RateLimit-Policy,Server-Timing,X-Request-Id",
    );
    expect(answer.headers.get("timing-allow-origin")).toBe(origin);
    expect(answer.headers.get("vary")).toBe("Authorization, Origin");
  });

  test("a refusal is readable by it, too", async () => {
    const refusal = await ask("GET", "/users/alice/watchhistory", { as: "", headers: { origin } });
    expect(refusal.headers.get("access-control-allow-origin")).toBe(origin);
    expect(
      (await ask("GET", "/openapi.json", { headers: { origin } })).headers.get("access-control-allow-origin"),
    ).toBe(origin);
  });

  test.each(["https://evil.example.com", "https://app.example.com.evil.com", "null"])(
    "%s may not",
    async (foreign) => {
      expect((await preflight(foreign)).headers.get("access-control-allow-origin")).toBeNull();
      const answer = await ask("GET", "/users/alice/watchhistory", { headers: { origin: foreign } });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect(answer.headers.get("timing-allow-origin")).toBeNull();
    },
  );
});

describe("request ids", () => {
  const requestId = async (given?: string) => {
    const edge = fakeEdge();
    const headers: Record<string, string> = given === undefined ? {} : { "x-request-id": given };
    const answer = await ask("DELETE", "/users/alice/watchhistory/c", { headers, edge });
    return [answer.headers.get("x-request-id"), edge.asked[0]?.headers["x-request-id"]];
  };

  test("a sane one is kept and passed on, any other is replaced", async () => {
    expect(await requestId("abc-123_DEF=")).toEqual(["abc-123_DEF=", "abc-123_DEF="]);
    for (const insane of [undefined, "a b", '"<script>', "x".repeat(129)]) {
      const [answered, forwarded] = await requestId(insane);
      expect(answered).toMatch(/^[\w-]{36}$/);
      expect(forwarded).toBe(answered);
    }
  });
});

test("security headers are on every answer", async () => {
  for (const path of ["/health", "/nowhere", "/users/alice/watchhistory"]) {
    expect((await ask("GET", path)).headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("health and the API reference need no token", async () => {
  const health = await ask("GET", "/health", { as: "" });
  expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  const reference = await ask("GET", "/openapi.json", { as: "" });
  expect(reference.headers.get("content-type")).toBe("application/json");
  expect(await reference.json()).toMatchObject({ openapi: "3.1.0" });
});

describe("the configuration", () => {
  const good = {
    UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1/",
    UPSTASH_REDIS_REST_TOKEN: "t",
    INGEST_URL: "https://ingest.example.com",
    AUTH_SECRET: "0123456789abcdef",
    AUTH_JWKS_URL: "",
  };

  test("takes what is needed and fills in the rest", () => {
    const cors = "https://a.example.com, http://localhost:3000";
    expect(edgeConfig({ ...good, CORS_ORIGINS: cors, ASSETS: {}, PATH: "/bin" })).toEqual({
      redis: { url: "http://127.0.0.1:1", token: "t" },
      streamRedis: { url: "http://127.0.0.1:1", token: "t" },
      historyIndex: "auto",
      ingestUrl: "https://ingest.example.com",
      auth: { secret: good.AUTH_SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined },
      corsOrigins: ["https://a.example.com", "http://localhost:3000"],
      limits: {
        ...{ backlog: 1_000_000, eventMaxAgeMs: 400 * 86_400_000 },
        rates: { perMinute: 200, perRole: { service: 0, admin: 0 } },
      },
      http: { port: 8787, host: "127.0.0.1", metricsPort: undefined },
      traces: null,
    });
  });

  test("the stream may be behind a door of its own, named whole", () => {
    const door = { STREAM_REDIS_REST_URL: "https://stream.example.com/", STREAM_REDIS_REST_TOKEN: "s" };
    expect(edgeConfig({ ...good, ...door })).toMatchObject({
      redis: { token: "t" },
      streamRedis: { url: "https://stream.example.com", token: "s" },
    });
    expect(() => edgeConfig({ ...good, STREAM_REDIS_REST_TOKEN: "s" })).toThrow("go together");
  });

  test("names every fault at once, and no value", () => {
    const bad = { INGEST_URL: "ftp://x", AUTH_SECRET: "too short", CORS_ORIGINS: "*", BACKLOG_LIMIT: "many" };
    const told = () => edgeConfig(bad);
    for (const name of ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", ...Object.keys(bad)]) {
      expect(told).toThrow(`${name}:`);
    }
    expect(told).not.toThrow("too short");
  });

  test.each([{ AUTH_SECRET: "" }, { AUTH_JWKS_URL: "https://issuer.example.com/keys" }])(
    "wants exactly one way to check tokens: %o",
    (change) => {
      expect(() => edgeConfig({ ...good, ...change })).toThrow(
        "exactly one of AUTH_SECRET and AUTH_JWKS_URL",
      );
    },
  );
});
