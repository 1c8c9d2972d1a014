import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventStream } from "../../db/redis/keys.ts";
import { createWorld, type World } from "../support/world.ts";

/** Ingest asked directly, past the edge: it checks everything again. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await world.stop();
});

const json = { "content-type": "application/json" };
const beat = { content_id: "m", playback_time: 60, duration: 3600 };
const ROUTES = [
  ["POST", "/users/alice/playlists/watchhistory"],
  ["POST", "/profiles/alice/history"],
  ["GET", "/users/alice/watchhistory"],
  ["GET", "/profiles/alice/history"],
  ["GET", "/users/alice/watchhistory/m"],
  ["DELETE", "/users/alice/watchhistory/m"],
  ["DELETE", "/users/alice/watchhistory"],
] as const;

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ status: response.status, request_id: expect.any(String) });
  return { status: response.status, code: problem.code };
}

describe.each(ROUTES)("%s %s", (method, path) => {
  const body = method === "POST" ? { body: JSON.stringify(beat), headers: json } : {};

  test("without a token, with a wrong and with an expired one: 401", async () => {
    const at = world.ingestUrl + path;
    for (const headers of [{}, { authorization: "Bearer nonsense" }, { authorization: "Basic YTpi" }]) {
      const response = await fetch(at, { method, ...body, headers: { ...json, ...headers } });
      expect(await problemOf(response)).toEqual({ status: 401, code: "unauthorized" });
    }
    const expired = await world.ask(path, {
      at: world.ingestUrl,
      method,
      ...body,
      token: { expiresIn: "-1h" },
    });
    expect(await problemOf(expired)).toEqual({ status: 401, code: "unauthorized" });
  });

  test("somebody else's data: 403, but for those who may", async () => {
    // The path of playback sessions does not say whose they are: the token does.
    if (path.includes("playlists")) return;
    const as = (user: string, ...roles: string[]) =>
      world.ask(path, { at: world.ingestUrl, method, ...body, as: user, token: { roles } });
    expect(await problemOf(await as("bob", "user"))).toEqual({ status: 403, code: "forbidden" });
    const support = await as("bob", "support");
    if (method === "GET") expect([200, 404]).toContain(support.status);
    else expect(await problemOf(support)).toEqual({ status: 403, code: "forbidden" });
    expect((await as("bob", "service")).status).toBeLessThan(500);
    expect((await as("bob", "admin")).status).not.toBe(403);
  });
});

describe("bad input", () => {
  beforeAll(() => world.drained());

  const post = (body: string, headers: Record<string, string> = json) =>
    world.ask("/profiles/alice/history", { at: world.ingestUrl, method: "POST", body, headers });

  test.each([
    ["no JSON", "{", json, 400, "malformed_json"],
    ["NaN", '{"content_id":"m","playback_time":NaN}', json, 400, "malformed_json"],
    ["another content type", "a=b", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["too much", `"${"x".repeat(1_100_000)}"`, json, 413, "body_too_large"],
    ["a wrong field", '{"content_id":"m","playback_time":-1}', json, 422, "invalid_input"],
  ])("%s", async (_, body, headers, status, code) => {
    expect(await problemOf(await post(body, headers))).toEqual({ status, code });
    expect(await world.redis.xlen(eventStream)).toBe(0);
    expect((await post(JSON.stringify(beat))).status).toBe(202);
    await world.drained();
  });

  test("an unknown path is 404, an id that is none is 422", async () => {
    const get = (path: string) => world.ask(path, { at: world.ingestUrl });
    expect(await problemOf(await get("/nothing"))).toEqual({ status: 404, code: "not_found" });
    expect(await problemOf(await get("/users/a%7Bb/watchhistory"))).toEqual({
      status: 422,
      code: "invalid_input",
    });
    expect(await problemOf(await get("/users/alice/watchhistory?limit=0"))).toEqual({
      status: 422,
      code: "invalid_input",
    });
  });

  test("a service writes for the user that it names, a user only for itself", async () => {
    const send = (as: string, roles: string[]) =>
      world.ask("/users/carol/playlists/watchhistory", {
        ...{ at: world.ingestUrl, method: "POST", headers: json, body: JSON.stringify(beat) },
        ...{ as, token: { roles } },
      });
    expect((await send("a-service", ["service"])).status).toBe(202);
    expect((await send("dave", ["user"])).status).toBe(202);
    await world.drained();
    expect(await world.history("carol")).toHaveLength(1);
    expect(await world.history("dave")).toHaveLength(1);
    expect(await world.history("a-service")).toEqual([]);
  });
});

describe("the unexpected", () => {
  test("is 500 with the request id alone", async () => {
    await world.db.execute("ALTER TABLE listitems RENAME TO lost");
    await world.db.execute("CREATE VIEW listitems AS SELECT * FROM lost WHERE 1 / (SELECT 0) = 1");
    const response = await world.ask("/users/erin/watchhistory", { at: world.ingestUrl, as: "erin" });
    await world.db.execute("DROP VIEW listitems");
    await world.db.execute("ALTER TABLE lost RENAME TO listitems");
    expect(response.status).toBe(500);
    const problem = (await response.json()) as Record<string, string>;
    expect(Object.keys(problem).sort()).toEqual(["code", "detail", "request_id", "status", "title", "type"]);
    expect(problem.detail).toBe(`Request ${problem.request_id} failed`);
  });

  test("/ready says which store is away", async () => {
    expect((await fetch(`${world.ingestUrl}/ready`)).status).toBe(200);
    await world.killRedis();
    const response = await fetch(`${world.ingestUrl}/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ postgres: true, redis: false, stream: false });
    expect((await fetch(`${world.ingestUrl}/health`)).status).toBe(200);
    await world.restartRedis();
  });
});
