import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NarrowedItem } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { createEdgeWorld, type EdgeWorld } from "../support/edge-world.ts";
import { contentOf, historyRow } from "../support/rows.ts";

const LIST = "/users/alice/watchhistory";
const FACETS = `${LIST}/facets`;
const START = Date.UTC(2026, 0, 1);

/** What alice watched, the oldest first; of `unknown` the catalogue knows nothing. */
const CATALOGUE = [
  contentOf("final", {
    ...{ title: "The final", thumbnail: "final.jpg", sport: "cricket", series: "World Cup 2026" },
    ...{ teams: ["India", "England"], kind: "match" },
  }),
  contentOf("semi", { sport: "cricket", series: "World Cup 2026", teams: ["India", "Australia"] }),
  contentOf("Cricket", { sport: "Cricket", series: "world cup 2026", teams: ["india"] }),
  contentOf("derby", { sport: "football", teams: ["England", "Wales & Co", "a,b"] }),
  contentOf("pilot", {
    title: "Pilot",
    show: "The Office",
    season: 1,
    episode: 1,
    duration: 100,
    credits_at: 95,
  }),
  contentOf("special", { show: "The Office", season: 0, episode: 1 }),
  contentOf("s10", { show: "The Office (UK)", season: 10 }),
];
const WATCHED = [...CATALOGUE.map(({ content_id }) => content_id as string), "unknown"];

describe.each(MODELS)("a history narrowed at the edge, by %s", (model) => {
  let world: EdgeWorld;
  beforeAll(async () => {
    world = await createEdgeWorld({ model });
  });
  beforeEach(async () => {
    await world.redis.flushall();
    world.index.lost();
    world.ingest.asked.length = 0;
    world.ingest.answer = () => ({ status: 500 });
    const rows = WATCHED.map((id, n) => historyRow("alice", id, { watched_at: START + n }));
    await world.warm("alice", rows, { catalogue: CATALOGUE });
    await world.ask(`${LIST}?sport=x`); // Redis learns the scripts
    await world.ask(`${FACETS}?by=sport`);
  });
  afterAll(() => world.stop());

  /** A question that Redis answers in exactly one request. */
  async function ask(path: string, init: Parameters<EdgeWorld["ask"]>[1] = {}): Promise<Response> {
    const before = world.door.requests();
    const answer = await world.ask(path, init);
    expect([path, answer.status, world.door.requests() - before]).toEqual([path, expect.any(Number), 1]);
    expect(world.ingest.asked).toEqual([]);
    return answer;
  }
  async function ids(query: string): Promise<string[]> {
    const answer = await ask(`${LIST}?${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    return ((await answer.json()) as NarrowedItem[]).map(({ content_id }) => content_id);
  }
  async function counts(query: string): Promise<unknown> {
    const answer = await ask(`${FACETS}?${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    return ((await answer.json()) as { value: string; count: number }[]).map(({ value, count }) => [
      value,
      count,
    ]);
  }

  test.each([
    ["sport=cricket", ["semi", "final"]],
    ["sport=Cricket", ["Cricket"]],
    ["sport=CRICKET", []],
    ["sport=cricke", []],
    ["sport=cricket+", []],
    ["series=World+Cup+2026", ["semi", "final"]],
    ["series=world%20cup%202026", ["Cricket"]],
    ["series=World", []],
    ["team=India", ["semi", "final"]],
    ["team=India&team=England", ["derby", "semi", "final"]],
    ["team=India&team=England&team_match=any", ["derby", "semi", "final"]],
    ["team=India&team=England&team_match=all", ["final"]],
    ["team=India&team=India&team_match=all", ["semi", "final"]],
    ["team=India&team=nobody&team_match=all", []],
    ["team=india", ["Cricket"]],
    ["team=Wales+%26+Co", ["derby"]],
    ["team=a,b", ["derby"]],
    ["team=a&team=b", []],
    ["show=The+Office", ["special", "pilot"]],
    ["show=The+Office+(UK)", ["s10"]],
    ["season=1", ["pilot"]],
    ["season=0", ["special"]],
    ["season=10", ["s10"]],
    ["season=010", ["s10"]],
    ["season=2", []],
    ["asset_id=derby", ["derby"]],
    ["asset_id=final&asset_id=unknown&asset_id=never", ["unknown", "final"]],
    ["asset_id=cricket", []],
    ["show=The+Office&season=1", ["pilot"]],
    ["sport=cricket&team=England", ["final"]],
    ["sport=football&series=World+Cup+2026", []],
    ["asset_id=semi&asset_id=derby&team=India&sport=cricket&series=World+Cup+2026", ["semi"]],
    ["asset_id=unknown&sport=cricket", []],
  ])("%s", async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
    // The same under the other name of a history.
    const other = await ask(`/profiles/alice/history?${query}`);
    expect(((await other.json()) as NarrowedItem[]).map(({ content_id }) => content_id)).toEqual(expected);
  });

  test("shows each item with its record, and of unknown content that nothing is known", async () => {
    const answer = await ask(`${LIST}?asset_id=final&asset_id=unknown&asset_id=pilot`);
    expect(await answer.json()).toEqual([
      {
        ...{
          content_id: "unknown",
          catalog_id: null,
          playback_time: 1_800,
          duration: 5_400,
          completed: false,
        },
        ...{ resume_position_seconds: 1_800, last_watched_at: new Date(START + 7).toISOString() },
        ...{ title: null, thumbnail: null, sport: null, series: null, teams: [] },
        ...{ show: null, season: null, episode: null },
      },
      expect.objectContaining({
        title: "Pilot",
        show: "The Office",
        season: 1,
        episode: 1,
        sport: null,
        teams: [],
      }),
      expect.objectContaining({
        ...{ title: "The final", thumbnail: "final.jpg", sport: "cricket", series: "World Cup 2026" },
        ...{ teams: ["India", "England"], show: null, season: null, episode: null },
      }),
    ]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "cache-control": "private, no-cache",
      vary: "Origin, Authorization",
      etag: expect.stringMatching(/^".+"$/),
    });
    const plain = (await (await world.ask(LIST)).json()) as object[];
    expect(Object.keys(plain[0] ?? {})).not.toContain("title");
  });

  test.each([
    [
      "by=sport",
      [
        ["cricket", 2],
        ["Cricket", 1],
        ["football", 1],
      ],
    ],
    [
      "by=series",
      [
        ["World Cup 2026", 2],
        ["world cup 2026", 1],
      ],
    ],
    [
      "by=team",
      [
        ["England", 2],
        ["India", 2],
        ["Australia", 1],
        ["Wales & Co", 1],
        ["a,b", 1],
        ["india", 1],
      ],
    ],
    [
      "by=show",
      [
        ["The Office", 2],
        ["The Office (UK)", 1],
      ],
    ],
    [
      "by=season",
      [
        ["0", 1],
        ["1", 1],
        ["10", 1],
      ],
    ],
    [
      "by=team&sport=cricket",
      [
        ["India", 2],
        ["Australia", 1],
        ["England", 1],
      ],
    ],
    [
      "by=team&team=India&team=England&team_match=all",
      [
        ["England", 1],
        ["India", 1],
      ],
    ],
    [
      "by=season&show=The+Office",
      [
        ["0", 1],
        ["1", 1],
      ],
    ],
    [
      "by=show&asset_id=s10&asset_id=pilot",
      [
        ["The Office", 1],
        ["The Office (UK)", 1],
      ],
    ],
    ["by=sport&show=The+Office", []],
    ["by=sport&asset_id=unknown", []],
  ])("counts %s", async (query, expected) => {
    expect(await counts(query)).toEqual(expected);
  });

  test("a tag answers 304 for its own version and query, and is none when a record changes", async () => {
    const tag = async (path: string) => (await ask(path)).headers.get("etag") ?? "";
    const again = async (path: string, asked: string) => {
      const answer = await ask(path, { headers: { "if-none-match": asked } });
      return [answer.status, answer.status === 304 ? await answer.text() : ""];
    };
    const paths = [
      ...[`${LIST}?sport=cricket`, `${LIST}?sport=Cricket`, `${LIST}?sport=cricket&limit=1`],
      ...[`${FACETS}?by=sport`, `${FACETS}?by=team`, `${FACETS}?by=team&sport=cricket`],
    ];
    const tags = await Promise.all(
      paths.map((path) => world.ask(path).then((its) => its.headers.get("etag") ?? "")),
    );
    expect(new Set(tags).size).toBe(paths.length);
    for (const [n, path] of paths.entries()) {
      expect(await tag(path)).toBe(tags[n]);
      expect(await again(path, tags[n] ?? "")).toEqual([304, ""]);
      expect(await again(path, `"x", W/${tags[n]}`)).toEqual([304, ""]);
      expect(await again(path, tags.toSpliced(n, 1).join(", "))).toEqual([200, ""]);
    }
    const changed = contentOf("final", { title: "The great final", sport: "cricket", rev: 2 });
    await world.warm("alice", [historyRow("alice", "final")], { catalogue: [changed] });
    for (const [n, path] of paths.entries()) expect(await again(path, tags[n] ?? "")).toEqual([200, ""]);
  });
});
