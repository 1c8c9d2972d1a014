import { describe, expect, test } from "vitest";
import type { IngestDeps } from "../../ingest/deps.ts";
import { createHttp } from "../../ingest/http.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { createMetrics } from "../../ingest/observe/metrics.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

const LISTS = ["/users/alice/watchhistory", "/profiles/alice/history"];
const FACETS = "/users/alice/watchhistory/facets";
const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${name}=v${n}`).join("&");

/** A question that must be refused before anybody is asked, and which field it must name. */
const FILTERS: [query: string, field: string][] = [
  ["sport=", "sport"],
  ["series=", "series"],
  ["show=", "show"],
  ["season=", "season"],
  ["team=", "team.0"],
  ["team=a&team=", "team.1"],
  ["asset_id=", "asset_id.0"],
  ["sport", "sport"],
  ["sport=a&sport=b", "sport"],
  ["sport=a&sport=a", "sport"],
  ["series=a&series=b", "series"],
  ["show=a&show=b", "show"],
  ["season=1&season=2", "season"],
  ["team_match=any&team_match=all&team=a", "team_match"],
  [`sport=${"x".repeat(129)}`, "sport"],
  [`sport=${encodeURIComponent("🏏".repeat(129))}`, "sport"],
  [`team=${"x".repeat(129)}`, "team.0"],
  [`show=${"x".repeat(129)}`, "show"],
  [`series=${"x".repeat(5_000)}`, "series"],
  [`asset_id=${"x".repeat(129)}`, "asset_id.0"],
  ["sport=%00", "sport"],
  ["sport=a%00b", "sport"],
  ["team=a&team=a%00", "team.1"],
  ["show=%00", "show"],
  ["season=x", "season"],
  ["season=-1", "season"],
  ["season=1.5", "season"],
  ["season=1e1", "season"],
  ["season=0x1", "season"],
  ["season=+1", "season"],
  ["season=12345678", "season"],
  ["season=%D9%A1", "season"], // an Arabic one
  ["team=a&team_match=some", "team_match"],
  ["team_match=ANY", "team_match"],
  ["team_match=all", "team_match"],
  ["sport=a&team_match=any", "team_match"],
  ["asset_id=a/b", "asset_id.0"],
  ["asset_id=..", "asset_id.0"],
  ["asset_id={alice}", "asset_id.0"],
  ["asset_id=a&asset_id=a%20b", "asset_id.1"],
  [many("asset_id", 101), "asset_id"],
  [many("team", 51), "team"],
];
const PAGES: typeof FILTERS = [
  ["sport=a&limit=0", "limit"],
  ["sport=a&limit=201", "limit"],
  ["sport=a&limit=1&limit=2", "limit"],
  ["sport=a&cursor=nonsense", "cursor"],
  ["sport=a&cursor=1_a&cursor=1_b", "cursor"],
];
const COUNTS: typeof FILTERS = [
  ["", "by"],
  ["sport=a", "by"],
  ["by=", "by"],
  ["by=asset", "by"],
  ["by=Sport", "by"],
  ["by=teams", "by"],
  ["by=title", "by"],
  ["by=__proto__", "by"],
  ["by=sport&by=team", "by"],
];
/** A misspelt parameter would widen what is asked for. */
const UNKNOWN = [
  ...[
    "sports=a",
    "Sport=a",
    "sport[]=a",
    "teams=a",
    "asset=a",
    "asset_ids=a",
    "q=a",
    "__proto__=a",
    "offset=1",
  ],
];

/** What a test is called by, and what it asks. */
function titled(filters: typeof FILTERS): [title: string, field: string, query: string][] {
  return filters.map(([query, field]) => [query.slice(0, 60), field, query]);
}

async function askEdge(path: string) {
  const edge = fakeEdge();
  const headers = { authorization: `Bearer ${await tokenFor(SECRET, "alice")}` };
  const answer = await edge.app.request(path, { headers });
  expect(edge.asked).toEqual([]);
  return answer;
}

async function expectRefused(path: string, field: string) {
  const answer = await askEdge(path);
  const text = await answer.text();
  expect([answer.status, text]).toEqual([422, expect.any(String)]);
  const body = JSON.parse(text) as { code: string; errors: { path: string; message: string }[] };
  expect(body.code).toBe("invalid_input");
  expect(body.errors.map((fault) => fault.path)).toContain(field);
  for (const { message } of body.errors) expect(message.length).toBeLessThan(200);
}

describe.each(LISTS)("%s refuses", (list) => {
  test.each(titled([...FILTERS, ...PAGES]))("?%s and names %s", async (_, field, query) => {
    await expectRefused(`${list}?${query}`, field);
    if (!query.includes("limit")) await expectRefused(`${list}?limit=5&${query}`, field);
  });
});

describe("facets refuse", () => {
  const behindBy = FILTERS.map(([query, field]): (typeof FILTERS)[number] => [`by=sport&${query}`, field]);
  test.each(titled([...behindBy, ...COUNTS]))("?%s and name %s", async (_, field, query) => {
    await expectRefused(`${FACETS}?${query}`, field);
  });
});

test.each(UNKNOWN)("?%s is a parameter that nobody knows, whatever is beside it", async (query) => {
  for (const path of [...LISTS.map((list) => `${list}?`), `${FACETS}?by=sport&`]) {
    for (const beside of ["", "&sport=a"]) await expectUnknown(path + query + beside, query.split("=")[0]);
  }
});

test("what one of them knows is unknown to the other", async () => {
  for (const name of ["limit", "cursor"]) await expectUnknown(`${FACETS}?by=sport&${name}=1`, name);
  for (const list of LISTS) await expectUnknown(`${list}?sport=a&by=sport`, "by");
});

async function expectUnknown(path: string, name = "") {
  const answer = await askEdge(path);
  const body = (await answer.json()) as { errors: { path: string }[] };
  expect([path, answer.status, body.errors.map((fault) => fault.path)]).toEqual([path, 422, [name]]);
}

test("what is just within the bounds is taken", async () => {
  const within = [
    ...[many("asset_id", 100), many("team", 50), `sport=${"x".repeat(128)}`, "season=0", "season=0000001"],
    ...[
      `show=${encodeURIComponent("🏏".repeat(128))}`,
      "team_match=all&team=a",
      "season=9999999",
      "sport=%20",
    ],
    ...[`asset_id=${"x".repeat(128)}`, "asset_id=a&asset_id=a", "sport=a&limit=200&cursor=1_a"],
  ];
  for (const query of within) {
    const answer = await askEdge(`${LISTS[0]}?${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    if (query.includes("limit")) continue;
    expect([query, (await askEdge(`${FACETS}?by=team&${query}`)).status]).toEqual([query, 200]);
  }
});

test("ingest, which is asked directly by nobody but the edge, refuses the same", async () => {
  const unasked = () => Promise.reject(new Error("somebody was asked"));
  const history = { page: unasked, narrowed: unasked, facets: unasked, item: unasked };
  const deps = {
    verifyToken: async () => ({ user_id: "alice", roles: ["user"] }),
    log: createLog("silent"),
    metrics: createMetrics(),
    newId: () => "id",
    history,
  } as unknown as IngestDeps;
  const http = createHttp(deps);
  for (const [query, field] of [...FILTERS, ...PAGES]) {
    const answer = await http.request(`${LISTS[0]}?${query}`, { headers: { authorization: "Bearer t" } });
    const body = (await answer.json()) as { errors?: { path: string }[] };
    expect([query, answer.status, body.errors?.map(({ path }) => path)]).toEqual([
      ...[query, 422, expect.arrayContaining([field])],
    ]);
  }
});
