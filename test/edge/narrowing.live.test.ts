import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NarrowedItem } from "../../db/contract/views.ts";
import { MODELS, type ModelName } from "../../db/redis/index/model.ts";
import { edgeRedis } from "../../edge/redis.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { DOOR_TOKEN } from "../support/door.ts";
import { createEdgeWorld, type EdgeWorld } from "../support/edge-world.ts";
import { contentOf, historyRow } from "../support/rows.ts";
import { warmUser } from "../support/warm.ts";

const LIST = "/users/alice/watchhistory";
const FACETS = `${LIST}/facets`;
const START = Date.UTC(2026, 0, 1);

/** What may be taken apart, folded or unescaped on its way from a URL to an index and back. */
const HOSTILE = [
  ...["a b", " ", "a+b", "a%20b", "%", "%00", "%ff", "a&b", "a=b", "a#b", "a?b", "a/b", "a;b", "a,b", "a|b"],
  ...["<a>", '"a"', "'", "\\", "\r\n", "\t", "{}", "}|@user:{", "*", "-", "[", "__proto__", "null", "0"],
  ...[
    "ä",
    "a\u0308",
    "Ä",
    "ß",
    "İ",
    "日本",
    "🏏",
    "\u200b",
    "\u0001",
    "\ufeff",
    "x".repeat(128),
    "🏏".repeat(128),
  ],
];

describe.each(MODELS)("the edge, by %s,", (model) => {
  let world: EdgeWorld;
  beforeAll(async () => {
    world = await createEdgeWorld({ model });
  });
  beforeEach(async () => {
    await world.redis.flushall();
    world.index.lost();
    world.ingest.asked.length = 0;
    world.ingest.answer = () => ({ status: 200, body: '["of ingest"]' });
  });
  afterAll(() => world.stop());

  async function warm(user: string, sports: readonly (string | null)[]) {
    const catalogue = sports.map((sport, n) =>
      contentOf(`c${n}`, { sport, teams: sport === null ? [] : [sport] }),
    );
    const rows = sports.map((_, n) => historyRow(user, `c${n}`, { watched_at: START + n }));
    await world.warm(user, rows, { catalogue });
  }
  async function idsAt(path: string, as = "alice"): Promise<unknown[]> {
    const items = (await (await world.ask(path, { as })).json()) as (NarrowedItem | string)[];
    return items.map((item) => (typeof item === "string" ? item : item.content_id));
  }

  test("finds hostile values by themselves alone, through a URL and back", async () => {
    await warm("alice", HOSTILE);
    for (const [n, value] of HOSTILE.entries()) {
      const seen = [];
      for (const name of ["sport", "team"]) {
        seen.push(await idsAt(`${LIST}?${new URLSearchParams({ [name]: value })}`));
        seen.push(await idsAt(`${LIST}?${name}=${encodeURIComponent(value)}`));
      }
      expect([value, ...seen]).toEqual([value, ...Array.from({ length: 4 }, () => [`c${n}`])]);
    }
    const facets = (await (await world.ask(`${FACETS}?by=sport`)).json()) as { value: string }[];
    expect(facets.map(({ value }) => value).toSorted()).toEqual(HOSTILE.toSorted());
    expect(world.ingest.asked).toEqual([]);
  });

  test.each(["a b", "a+b", "a&b=c", "%", "ä|🏏", '">;rel="x"', "a#b?c"])(
    "pages through a list narrowed by %j, each link asking for the same",
    async (value) => {
      await warm(
        "alice",
        Array.from({ length: 9 }, (_, n) => (n % 4 === 3 ? "other" : value)),
      );
      const asset = Array.from({ length: 9 }, (_, n) => `&asset_id=c${n}`).join("");
      const query = `limit=2&sport=${encodeURIComponent(value)}&team=x&team=${encodeURIComponent(value)}${asset}`;
      const walked: unknown[] = [];
      let next: string | undefined = `/profiles/alice/history?${query}`;
      while (next !== undefined) {
        const page = await world.ask(next);
        walked.push(...((await page.json()) as NarrowedItem[]).map(({ content_id }) => content_id));
        expect(walked.length).toBeLessThanOrEqual(9);
        next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
        if (next === undefined) continue;
        expect(next).toMatch(/^\/profiles\/alice\/history\?[\x21-\x7e]+$/);
        const { searchParams: asked } = new URL(next, "http://edge");
        expect([asked.get("limit"), asked.getAll("sport")]).toEqual(["2", [value]]);
        expect([asked.getAll("team"), asked.getAll("asset_id").length]).toEqual([["x", value], 9]);
        expect(asked.getAll("cursor")).toHaveLength(1);
      }
      expect(walked).toEqual(["c8", "c6", "c5", "c4", "c2", "c1", "c0"]);
      expect(world.ingest.asked).toEqual([]);
    },
  );

  test("finds by fifty teams of the longest names, any of them or all", async () => {
    const teams = Array.from({ length: 50 }, (_, n) => "🏏".repeat(126) + String(n).padStart(2, "0"));
    const catalogue = [contentOf("all", { teams }), contentOf("half", { teams: teams.slice(25) })];
    const rows = catalogue.map(({ content_id }) => historyRow("alice", content_id));
    await world.warm("alice", rows, { catalogue });
    const query = new URLSearchParams(teams.map((team): [string, string] => ["team", team]));
    expect(await idsAt(`${LIST}?${query}`)).toEqual(["half", "all"]);
    expect(await idsAt(`${LIST}?${query}&team_match=all`)).toEqual(["all"]);
    expect(await (await world.ask(`${FACETS}?by=team&${query}`)).json()).toEqual(
      teams.map((value, n) => ({ value, count: n < 25 ? 1 : 2 })).toSorted((a, b) => b.count - a.count),
    );
    expect(world.ingest.asked).toEqual([]);
  });

  test("never shows Alice to alice, in lists or in facets, nor to anybody else", async () => {
    await warm("alice", ["darts"]);
    await warm("Alice", ["darts", "cricket"]);
    await warm("alice2", ["darts", "football", "golf"]);
    expect(await idsAt(`${LIST}?sport=darts`)).toEqual(["c0"]);
    expect(await idsAt(`${LIST}?sport=cricket`)).toEqual([]);
    expect(await idsAt("/users/Alice/watchhistory?sport=cricket", "Alice")).toEqual(["c1"]);
    expect(await (await world.ask(`${FACETS}?by=sport`)).json()).toEqual([{ value: "darts", count: 1 }]);
    for (const path of [
      "/users/Alice/watchhistory?sport=darts",
      "/users/Alice/watchhistory/facets?by=sport",
    ]) {
      const refused = await world.ask(path);
      expect([refused.status, await refused.json()]).toEqual([
        403,
        expect.objectContaining({ code: "forbidden" }),
      ]);
      expect((await world.ask(path, { as: "sue", token: { roles: ["support"] } })).status).toBe(200);
    }
    expect(world.ingest.asked).toEqual([]);
  });

  test("asks ingest about who is cold or warming, and about what lies below the floor", async () => {
    const paths = [`${LIST}?sport=a%20b&team=x&team=y`, `${LIST}?asset_id=c0`, `${FACETS}?by=team&sport=a`];
    const expectIngest = async (from: readonly string[]) => {
      world.ingest.asked.length = 0;
      for (const path of from) expect(await idsAt(path)).toEqual(["of ingest"]);
      expect(world.ingest.asked.map(({ path }) => path)).toEqual(from);
    };
    await expectIngest(paths);
    await world.redis.hset("wh:state:{alice}", "epoch", "e1");
    await expectIngest(paths);
    await world.redis.flushall();
    world.index.lost();
    const rows = ["c0", "c1", "c2"].map((id, n) => historyRow("alice", id, { watched_at: START + n }));
    const catalogue = ["c0", "c1", "c2"].map((id) => contentOf(id, { sport: "a b", teams: ["x"] }));
    await world.warm("alice", rows, { catalogue, floor: START });
    await expectIngest(paths);
    world.ingest.asked.length = 0;
    expect(await idsAt(`${LIST}?sport=a%20b&limit=1`)).toEqual(["c2"]);
    expect(world.ingest.asked).toEqual([]);
  });

  test("asks ingest about views of another model, and never looks for them where they are not", async () => {
    for (const other of MODELS.filter((its) => its !== model)) {
      world.ingest.asked.length = 0;
      const index = historyIndexOn(world.redis, other, createLog("silent"));
      const catalogue = [contentOf("c0", { sport: "a" })];
      const rows = [historyRow("alice", "c0")];
      await warmUser({ redis: world.redis, index }, "alice" as never, rows, { catalogue });
      expect(await idsAt(`${LIST}?sport=a`)).toEqual(["of ingest"]);
      expect(await idsAt(`${FACETS}?by=sport`)).toEqual(["of ingest"]);
      // What is configured is not learnt.
      expect(await idsAt(`${LIST}?sport=a`)).toEqual(["of ingest"]);
      expect(world.ingest.asked).toHaveLength(3);
      expect(await idsAt(LIST)).toEqual(["c0"]);
      await world.redis.flushall();
    }
  });

  test("told nothing learns the model from the first view it meets, and asks Redis once from then on", async () => {
    await warm("alice", ["a", "b"]);
    await warm("bob", ["a"]);
    const redis = edgeRedis({ url: world.door.url, token: DOOR_TOKEN, model: "auto" as ModelName | "auto" });
    const replaced = { redis: { ...world.deps.redis, ...redis } };
    const first = await world.ask(`${LIST}?sport=a`, { replaced });
    expect(((await first.json()) as NarrowedItem[]).map(({ content_id }) => content_id)).toEqual(["c0"]);
    for (const [as, path] of [
      ["alice", `${LIST}?sport=a`],
      ["bob", "/users/bob/watchhistory?sport=a"],
    ] as const) {
      const before = world.door.requests();
      const answer = await world.ask(path, { as, replaced });
      expect(((await answer.json()) as NarrowedItem[]).map(({ content_id }) => content_id)).toEqual(["c0"]);
      expect(world.door.requests() - before).toBe(1);
    }
    expect(world.ingest.asked).toEqual([]);
  });
});
