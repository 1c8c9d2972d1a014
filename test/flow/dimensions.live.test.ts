import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { NarrowedItem } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { putContents } from "../support/catalogue.ts";
import { contentOf } from "../support/rows.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

const CATALOGUE = [
  contentOf("final", {
    title: "The final",
    sport: "cricket",
    series: "World Cup",
    teams: ["India", "England"],
  }),
  contentOf("semi", { sport: "cricket", series: "World Cup", teams: ["India", "Australia"] }),
  contentOf("Cricket", { sport: "Cricket", series: "world cup", teams: ["india", "a,b"] }),
  contentOf("derby", { sport: "football", teams: ["England", 'Wales & "Co"'] }),
  contentOf("pilot", { title: "Pilot", show: "The Office", season: 1, episode: 1 }),
  contentOf("special", { show: "The Office", season: 0, episode: 1 }),
  contentOf("s9", { show: "Ärger é", season: 9 }),
  contentOf("s10", { show: "A\u0308rger é", season: 10 }),
  contentOf("bom", {
    show: "\ufeffThe Office",
    sport: " ",
    series: "\u0001",
    teams: ["🏏", "\\", "'", "{}", "%"],
  }),
  contentOf("removed", { sport: "cricket", teams: ["India"], removed: true }),
];
const WATCHED = [...CATALOGUE.map(({ content_id }) => content_id as string), "unknown"];

/** What may be asked: lists and facets, each as a query. */
const LISTS = [
  ...["sport=cricket", "sport=Cricket", "sport=CRICKET", "sport=+", "series=World+Cup", "series=world+cup"],
  ...[
    "team=India",
    "team=India&team=England",
    "team=India&team=England&team_match=all",
    "team=a,b",
    "team=a",
  ],
  ...["team=🏏", "team=%5C", "team='", "team=%7B%7D", "team=%25", "team=Wales+%26+%22Co%22", "series=%01"],
  ...[
    "show=The+Office",
    "show=%EF%BB%BFThe+Office",
    "show=Ärger+é",
    "show=A%CC%88rger+é",
    "season=0",
    "season=9",
  ],
  ...["season=09", "season=1", "asset_id=final&asset_id=unknown&asset_id=removed&asset_id=never"],
  ...[
    "asset_id=removed&sport=cricket",
    "sport=cricket&team=England",
    "sport=nothing",
    "show=The+Office&season=1",
  ],
  ...["sport=cricket&limit=1", "team=India&team=England&team=🏏&limit=2"],
].map((query) => `?${query}`);
const FACETS = ["sport", "series", "team", "show", "season"].flatMap((by) => [
  ...[`/facets?by=${by}`, `/facets?by=${by}&sport=cricket`, `/facets?by=${by}&team=India&team=England`],
  ...[`/facets?by=${by}&asset_id=bom&asset_id=s10&asset_id=removed`, `/facets?by=${by}&sport=nothing`],
]);

const now = Date.now();
function beats(ids: readonly string[]) {
  return ids.map((content_id, n) => ({
    ...{ content_id, playback_time: 60 + n, duration: 3_600 },
    ...{ occurred_at: now - 1_000_000 + Math.floor(n / 2) * 1_000 },
  }));
}

describe.each(MODELS)("a history narrowed over both sides, by %s", (model) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ HISTORY_INDEX: model });
    await putContents(world.db, CATALOGUE);
  });
  afterAll(() => world.stop());

  /** Status, body and Link: all that may not depend on who answers. */
  async function answer(as: string, query: string) {
    const response = await world.ask(`/users/${as}/watchhistory${query}`, { as });
    const link = response.headers.get("link");
    return { query, status: response.status, body: await response.json(), link };
  }
  const fromRedis = async (as: string, query: string) =>
    (await world.ask(`/users/${as}/watchhistory${query}`, { as })).headers.get("etag") !== null;
  async function idsOf(as: string, query: string): Promise<string[]> {
    const { status, body } = await answer(as, query);
    expect([query, status]).toEqual([query, 200]);
    return (body as NarrowedItem[]).map(({ content_id }) => content_id);
  }

  test("a cold user is answered right the first time, whatever is asked first, and by Redis from then on", async () => {
    for (const [n, ask, expected] of [
      [1, "?sport=cricket", ["semi", "final"]],
      [2, "?team=India&team=England&team_match=all", ["final"]],
      [3, "?asset_id=unknown&asset_id=removed", ["unknown", "removed"]],
      [4, "/facets?by=sport", undefined],
    ] as const) {
      const viewer = `cold-${n}`;
      await world.watched(viewer, ...beats(WATCHED));
      expect(await world.redis.exists(...historyKeys(viewer as UserId))).toBe(0);
      if (expected) expect(await idsOf(viewer, ask)).toEqual(expected);
      else {
        expect((await answer(viewer, ask)).body).toEqual([
          { value: "cricket", count: 2 },
          ...[" ", "Cricket", "football"].map((value) => ({ value, count: 1 })),
        ]);
      }
      expect(await fromRedis(viewer, ask)).toBe(true);
      if (expected) expect(await idsOf(viewer, ask)).toEqual(expected);
    }
  });

  test("what is watched afterwards is found as soon as it is visible, and what is forgotten no longer", async () => {
    await world.watched("warm", ...beats(["final"]));
    expect(await idsOf("warm", "?sport=cricket")).toEqual(["final"]);
    await world.watched(
      "warm",
      { content_id: "semi", playback_time: 60 },
      { content_id: "pilot", playback_time: 9 },
    );
    expect(await idsOf("warm", "?sport=cricket")).toEqual(["semi", "final"]);
    expect(await idsOf("warm", "?show=The+Office")).toEqual(["pilot"]);
    const forgotten = await world.ask("/users/warm/watchhistory/semi", { as: "warm", method: "DELETE" });
    expect(forgotten.status).toBe(204);
    expect(await idsOf("warm", "?sport=cricket")).toEqual(["final"]);
    await world.ask("/users/warm/watchhistory", { as: "warm", method: "DELETE" });
    expect(await idsOf("warm", "?sport=cricket")).toEqual([]);
    expect((await answer("warm", "/facets?by=sport")).body).toEqual([]);
    expect(await fromRedis("warm", "?sport=cricket")).toBe(true);
  });

  test("what the catalogue learns, changes and removes reaches who is warm, and who is cold anyway", async () => {
    const say = async (rev: number, its: Parameters<typeof contentOf>[1]) => {
      await putContents(world.db, [contentOf("later", { ...its, rev })]);
      await world.db.execute(sql`INSERT INTO content_changes (content_id, rev) VALUES ('later', ${rev})`);
    };
    await world.watched("patient", ...beats(["later", "final"]));
    await world.watched("asleep", ...beats(["later"]));
    const carried = async (query: string, expected: string[]) => {
      await until(async () => (await idsOf("patient", query)).join() === expected.join(), { what: query });
      expect(await fromRedis("patient", query)).toBe(true);
    };
    expect(await idsOf("patient", "?sport=chess")).toEqual([]);
    await say(1, { sport: "chess", teams: ["White", "Black"] });
    await carried("?sport=chess&team=Black", ["later"]);
    await say(2, { sport: "Chess", title: "Later" });
    await carried("?sport=chess", []);
    expect(await idsOf("patient", "?sport=Chess")).toEqual(["later"]);
    expect((await answer("patient", "/facets?by=team")).body).toEqual([
      { value: "England", count: 1 },
      { value: "India", count: 1 },
    ]);
    expect(await idsOf("asleep", "?sport=Chess")).toEqual(["later"]);
    await say(3, { removed: true });
    await carried("?sport=Chess", []);
    expect(await idsOf("patient", "")).toEqual(["later", "final"]);
  });

  test("the longest question there is passes through both sides", async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(128, "x"));
    await world.watched("wordy", ...beats(ids));
    const query = `?${ids.map((id) => `asset_id=${id}`).join("&")}&limit=99`;
    const cold = await answer("wordy", query);
    expect([cold.status, (cold.body as unknown[]).length]).toEqual([200, 99]);
    expect(await answer("wordy", query)).toEqual(cold);
    expect(await fromRedis("wordy", query)).toBe(true);
  });

  test("Postgres gives the same answers as Redis, when Redis is away and when it is back", async () => {
    await world.watched("both", ...beats(WATCHED));
    await idsOf("both", "?sport=cricket");
    const questions = [...LISTS, ...FACETS];
    const byRedis = await Promise.all(questions.map((query) => answer("both", query)));
    for (const query of questions) expect([query, await fromRedis("both", query)]).toEqual([query, true]);
    const sizes = byRedis.map(({ body }) => (body as unknown[]).length);
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThan(35);

    await world.killRedis();
    try {
      // All at once: each waits a while for a Redis that is away.
      const byPostgres = await Promise.all(questions.map((query) => answer("both", query)));
      for (const [n, its] of byPostgres.entries()) expect(its).toEqual(byRedis[n]);
    } finally {
      await world.restartRedis();
    }
    await until(() => fromRedis("both", "?sport=cricket"));
    for (const [n, query] of questions.entries()) expect(await answer("both", query)).toEqual(byRedis[n]);
  });
});
