import { expect, test } from "vitest";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

async function ask(edge: ReturnType<typeof fakeEdge>, path: string, roles?: string[]) {
  const authorization = `Bearer ${await tokenFor(SECRET, "alice", roles ? { roles } : {})}`;
  return await edge.app.request(path, { headers: { authorization } });
}

test("the question goes on to ingest as it came, and its answer comes back", async () => {
  const asked: unknown[] = [];
  const headers = { "content-type": "application/json", "cache-control": "private, no-store", "x-own": "1" };
  const edge = fakeEdge({
    ingest: async (question) => {
      asked.push(question);
      return { status: 200, headers: new Headers(headers), body: new TextEncoder().encode("[]").buffer };
    },
  });
  const answer = await ask(edge, "/users/bob/next-up?kind=sport&limit=3", ["support"]);
  expect([answer.status, await answer.text()]).toEqual([200, "[]"]);
  expect(answer.headers.get("cache-control")).toBe("private, no-store");
  expect(answer.headers.get("vary")).toBe("Origin, Authorization");
  expect(answer.headers.get("x-own")).toBeNull();
  expect(asked).toEqual([
    expect.objectContaining({
      method: "GET",
      path: "/users/bob/next-up?kind=sport&limit=3",
      deadlineMs: 100,
    }),
  ]);
});

test.each([
  ["/users/bob/next-up", 403, "forbidden"],
  ["/users/alice/next-up?limit=0", 422, "invalid_input"],
  ["/users/alice/next-up?kind=films", 422, "invalid_input"],
  ["/users/alice/next-up?season=1", 422, "invalid_input"],
  ["/users/a%20b/next-up", 422, "invalid_input"],
])("%s is refused without asking ingest", async (path, status, code) => {
  const edge = fakeEdge();
  const answer = await ask(edge, path);
  expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ code })]);
  expect(edge.asked).toEqual([]);
});

test("without ingest it is 503, and says when to ask again", async () => {
  const edge = fakeEdge({ ingest: () => Promise.reject(new IngestUnreachable("TimeoutError")) });
  const answer = await ask(edge, "/users/alice/next-up");
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await answer.json()).toMatchObject({ code: "unavailable", detail: "the history is out of reach" });
});
