import { describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../db/contract/requests.ts";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

/** What the edge decides of the catalogue before ingest hears of it. */

const JSON_TYPE = "application/json";
const LINES_TYPE = "application/x-ndjson";
const ROUTES = [
  ["PUT", "/contents/c", JSON_TYPE],
  ["GET", "/contents/c", undefined],
  ["DELETE", "/contents/c", undefined],
  ["POST", "/contents", JSON_TYPE],
  ["POST", "/contents", LINES_TYPE],
] as const;
type Edge = ReturnType<typeof fakeEdge>;

async function ask(
  method: string,
  path: string,
  type: string | undefined,
  { roles = ["service"] as string[] | null, body = '{"content_id":"c"}\n', edge = fakeEdge() } = {},
): Promise<Response> {
  const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
  if (roles) headers.authorization = `Bearer ${await tokenFor(SECRET, "cms", { roles })}`;
  return await edge.app.request(path, { method, headers, ...(type === undefined ? {} : { body }) });
}

async function expectProblem(answer: Response, status: number, code: string) {
  const problem = await answer.json();
  expect([answer.status, problem]).toEqual([status, expect.objectContaining({ status, code })]);
  expect(problem).toMatchObject({ request_id: answer.headers.get("x-request-id") });
  return problem as { detail: string; errors: { path: string }[] };
}

/** An edge that must not ask ingest. */
function alone(): Edge {
  const never = () => Promise.reject(new Error("ingest was asked"));
  return fakeEdge({ ingest: never, pipe: never });
}

describe.each(ROUTES)("%s %s (%s)", (method, path, type) => {
  test("is for services and admins", async () => {
    await expectProblem(await ask(method, path, type, { roles: null, edge: alone() }), 401, "unauthorized");
    for (const roles of [["user"], ["support"], []]) {
      await expectProblem(await ask(method, path, type, { roles, edge: alone() }), 403, "forbidden");
    }
    for (const roles of [["service"], ["user", "admin"]]) {
      expect((await ask(method, path, type, { roles })).ok).toBe(true);
    }
  });

  test("without ingest is 503", async () => {
    const unreachable = () => Promise.reject(new IngestUnreachable("TimeoutError"));
    const edge = fakeEdge({ ingest: unreachable, pipe: unreachable });
    const answer = await ask(method, path, type, { edge });
    expect(answer.headers.get("retry-after")).toBe("5");
    expect((await expectProblem(answer, 503, "unavailable")).detail).toBe("the catalogue is out of reach");
    expect(edge.logged).toEqual([expect.stringContaining("TimeoutError")]);
  });

  test("what broke unexpectedly is 500", async () => {
    const broken = () => Promise.reject(new TypeError("secret of the house"));
    const edge = fakeEdge({ ingest: broken, pipe: broken });
    await expectProblem(await ask(method, path, type, { edge }), 500, "internal");
  });

  test("what ingest says is said again, with the headers of the edge", async () => {
    const headers = new Headers({
      "content-type": "application/json",
      "retry-after": "7",
      "x-internal": "1",
    });
    const body = '{"code":"said by ingest"}';
    const edge = fakeEdge({
      ingest: async () => ({ status: 409, headers, body: new TextEncoder().encode(body).buffer }),
      pipe: async () => new Response(body, { status: 409, headers }),
    });
    const answer = await ask(method, path, type, { edge });
    expect([answer.status, await answer.text(), answer.headers.get("retry-after")]).toEqual([409, body, "7"]);
    expect(answer.headers.get("x-internal")).toBeNull();
    expect(answer.headers.get("x-request-id")).toBeTruthy();
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });
});

test("the same question goes on to ingest, byte by byte", async () => {
  const body = '{ "title":"\\u00e9é👩‍👩‍👧" }';
  const edge = fakeEdge();
  await ask("PUT", "/contents/a~b?x=%20", JSON_TYPE, { edge, body });
  await ask("POST", "/contents", JSON_TYPE, { edge, body });
  await ask("DELETE", "/contents/c", undefined, { edge });
  expect(edge.asked).toMatchObject([
    { method: "PUT", path: "/contents/a~b?x=%20", body: new TextEncoder().encode(body) },
    { method: "POST", path: "/contents", headers: { "content-type": JSON_TYPE } },
    { method: "DELETE", path: "/contents/c", headers: { authorization: expect.stringMatching(/^Bearer /) } },
  ]);
  expect(edge.asked[2]?.body).toBeUndefined();
});

test("lines pass through as a stream", async () => {
  const piped: { path: string; type: string | undefined; text: string }[] = [];
  const edge = fakeEdge({
    pipe: async ({ path, headers, body }) => {
      piped.push({ path, type: headers["content-type"], text: await new Response(body).text() });
      return new Response("said\n", { headers: { "content-type": LINES_TYPE } });
    },
  });
  const body = "x".repeat(3 * MAX_BODY_BYTES);
  const answer = await ask("POST", "/contents", `${LINES_TYPE}; charset=utf-8`, { edge, body });
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
    200,
    LINES_TYPE,
    "said\n",
  ]);
  expect(piped).toEqual([{ path: "/contents", type: `${LINES_TYPE}; charset=utf-8`, text: body }]);
});

test("a body is JSON or lines, and JSON has a megabyte at most", async () => {
  for (const type of ["text/plain", "application/jsonp", ""]) {
    await expectProblem(
      await ask("POST", "/contents", type, { edge: alone() }),
      415,
      "unsupported_media_type",
    );
    await expectProblem(
      await ask("PUT", "/contents/c", type, { edge: alone() }),
      415,
      "unsupported_media_type",
    );
  }
  await expectProblem(
    await ask("PUT", "/contents/c", LINES_TYPE, { edge: alone() }),
    415,
    "unsupported_media_type",
  );
  const body = "x".repeat(MAX_BODY_BYTES + 1);
  for (const [method, path] of [
    ["PUT", "/contents/c"],
    ["POST", "/contents"],
  ] as const) {
    await expectProblem(await ask(method, path, JSON_TYPE, { body, edge: alone() }), 413, "body_too_large");
  }
});

test("a path that names no content says so", async () => {
  for (const method of ["PUT", "GET", "DELETE"]) {
    const type = method === "PUT" ? JSON_TYPE : undefined;
    const problem = await expectProblem(
      await ask(method, "/contents/a%20b", type, { edge: alone() }),
      422,
      "invalid_input",
    );
    expect(problem.errors[0]?.path).toBe("content_id");
  }
});

test.each([
  ["GET", "/contents", "POST"],
  ["POST", "/contents/c", "DELETE, GET, HEAD, PUT"],
  ["PATCH", "/contents/c", "DELETE, GET, HEAD, PUT"],
])("%s %s: 405, it answers %s", async (method, path, allow) => {
  const answer = await ask(method, path, undefined);
  expect(answer.headers.get("allow")?.split(", ").toSorted().join(", ")).toBe(allow);
  await expectProblem(answer, 405, "method_not_allowed");
});
