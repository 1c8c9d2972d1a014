import { describe, expect, test } from "vitest";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

/** What the edge decides of parties before ingest hears of it. */

const PARTY = { title: "The Final", content_id: "match", start_time: 1, visibility: "public" };
const ROUTES = [
  ["POST", "/parties", PARTY],
  ["GET", "/parties?status=ONGOING&limit=3", undefined],
  ["GET", "/parties/p?invite=code", undefined],
  ["PATCH", "/parties/p", { title: "T" }],
  ["DELETE", "/parties/p", undefined],
  ["GET", "/parties/p/messages?after=12.5&limit=3&invite=code", undefined],
  ["GET", "/parties/p/logs?limit=3&cursor=9_e", undefined],
] as const;
type Edge = ReturnType<typeof fakeEdge>;

async function ask(
  method: string,
  path: string,
  body: unknown,
  { as = "alice" as string | null, type = "application/json", edge = fakeEdge() } = {},
): Promise<Response> {
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": type };
  if (as) headers.authorization = `Bearer ${await tokenFor(SECRET, as)}`;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await edge.app.request(path, { method, headers, ...(body === undefined ? {} : { body: text }) });
}

async function problemOf(answer: Response) {
  const problem = (await answer.json()) as { code: string; detail: string; errors?: { path: string }[] };
  return { status: answer.status, ...problem };
}

/** An edge that must not ask ingest. */
function alone(): Edge {
  return fakeEdge({ ingest: () => Promise.reject(new Error("ingest was asked")) });
}

describe.each(ROUTES)("%s %s", (method, path, body) => {
  test("goes to ingest as it came, and its answer comes back", async () => {
    const edge = fakeEdge({
      ingest: async (question) => {
        edge.asked.push(question);
        const headers = new Headers({
          "cache-control": "private, no-store",
          location: "/parties/p",
          link: "<x>",
        });
        return { status: 299, headers, body: new TextEncoder().encode('{"a":1}').buffer };
      },
    });
    const answer = await ask(method, path, body, { edge });
    expect([answer.status, await answer.text()]).toEqual([299, '{"a":1}']);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect([answer.headers.get("location"), answer.headers.get("link")]).toEqual(["/parties/p", "<x>"]);
    expect(answer.headers.get("vary")).toContain("Authorization");
    const [asked] = edge.asked;
    expect([asked?.method, asked?.path]).toEqual([method, path]);
    expect(asked?.headers.authorization).toMatch(/^Bearer /);
    expect(asked?.body && JSON.parse(new TextDecoder().decode(asked.body))).toEqual(body);
  });

  test("needs a token", async () => {
    const answer = await ask(method, path, body, { as: null, edge: alone() });
    expect(await problemOf(answer)).toMatchObject({ status: 401, code: "unauthorized" });
  });

  test("without ingest is 503", async () => {
    const edge = fakeEdge({ ingest: () => Promise.reject(new IngestUnreachable("TimeoutError")) });
    const answer = await ask(method, path, body, { edge });
    expect(answer.headers.get("retry-after")).toBe("5");
    const detail = "the parties are out of reach";
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: "unavailable", detail });
    expect(edge.logged).toEqual([expect.stringContaining("TimeoutError")]);
    expect(edge.logged.join()).not.toMatch(/invite|code|eyJ/);
  });
});

describe("what ingest would refuse is not even asked", () => {
  test.each([
    ["GET", "/parties?status=over", undefined, "status"],
    ["GET", "/parties?cursor=x", undefined, "cursor"],
    ["GET", "/parties?mine=1", undefined, "mine"],
    ["GET", "/parties/a%20b", undefined, "party_id"],
    ["GET", "/parties/p?code=1", undefined, "code"],
    ["PATCH", "/parties/a%20b", {}, "party_id"],
    ["DELETE", `/parties/${"x".repeat(129)}`, undefined, "party_id"],
    ["GET", "/parties/p/messages?after=soon", undefined, "after"],
    ["GET", "/parties/a%20b/messages", undefined, "party_id"],
    ["GET", "/parties/p/logs?invite=code", undefined, "invite"],
    ["GET", "/parties/a%20b/logs", undefined, "party_id"],
  ])("%s %s %j: %s", async (method, path, body, at) => {
    const problem = await problemOf(await ask(method, path, body, { edge: alone() }));
    expect(problem).toMatchObject({ status: 422, code: "invalid_input" });
    expect(problem.errors?.map((fault) => fault.path)).toContain(at);
  });

  test.each([
    ["POST", "/parties"],
    ["PATCH", "/parties/p"],
  ])("%s %s with what does not say that it is JSON", async (method, path) => {
    const text = await ask(method, path, PARTY, { type: "text/plain", edge: alone() });
    expect(await problemOf(text)).toMatchObject({ status: 415 });
  });
});
