import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { NarrowedItem } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { evict } from "../../ingest/views/evict.ts";
import { putContents } from "../support/catalogue.ts";
import { contentOf } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

const COUNT = 40;
const SPORTS = ["cricket", "football", "golf"];
const CATALOGUE = Array.from({ length: COUNT }, (_, n) =>
  contentOf(`c${n}`, { sport: SPORTS[n % 3] ?? "", teams: [`team ${n % 4}`, "A & B"], season: n % 5 }),
);

describe.each(MODELS)("a history longer than HISTORY_LIMIT, by %s", (model) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ HISTORY_INDEX: model, HISTORY_LIMIT: "10" });
    await putContents(world.db, CATALOGUE);
  });
  afterAll(() => world.stop());

  /** Watches all in order, some of them at the same instant. @returns the ids, newest first. */
  async function watchAll(viewer: string): Promise<string[]> {
    const start = Date.now() - 1_000_000;
    const occurred = (n: number) => start + Math.floor(n / 3) * 1_000;
    await world.watched(
      viewer,
      ...CATALOGUE.map(({ content_id }, n) => ({ content_id, playback_time: n, occurred_at: occurred(n) })),
    );
    const order = CATALOGUE.map(({ content_id }, n) => ({
      content_id: content_id as string,
      at: occurred(n),
    }));
    order.sort((a, b) => b.at - a.at || (a.content_id < b.content_id ? 1 : -1));
    return order.map(({ content_id }) => content_id);
  }

  async function walk(viewer: string, query: string): Promise<string[]> {
    const walked: string[] = [];
    let next: string | undefined = `/users/${viewer}/watchhistory?${query}`;
    while (next !== undefined) {
      const page = await world.ask(next, { as: viewer });
      expect([next, page.status]).toEqual([next, 200]);
      walked.push(...((await page.json()) as NarrowedItem[]).map(({ content_id }) => content_id as string));
      expect(walked.length).toBeLessThanOrEqual(COUNT);
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
    }
    return walked;
  }

  const QUERIES: [query: string, wanted: (n: number) => boolean][] = [
    ["sport=cricket", (n) => n % 3 === 0],
    ["team=team+1&team=team+2", (n) => n % 4 === 1 || n % 4 === 2],
    ["team=team+1&team=A+%26+B&team_match=all", (n) => n % 4 === 1],
    ["sport=golf&season=2", (n) => n % 3 === 2 && n % 5 === 2],
    ["team=A+%26+B", () => true],
    ["asset_id=c0&asset_id=c39&asset_id=c20", (n) => [0, 20, 39].includes(n)],
    ["sport=nothing", () => false],
  ];

  test.each([1, 2, 7, 200])(
    "is paged by %i from Redis into Postgres without a gap or a repetition",
    async (limit) => {
      const viewer = `paged-${limit}`;
      const order = await watchAll(viewer);
      for (const [query, wanted] of QUERIES) {
        const expected = order.filter((id) => wanted(Number(id.slice(1))));
        expect([query, await walk(viewer, `${query}&limit=${limit}`)]).toEqual([query, expected]);
      }
    },
  );

  test("is counted whole, warm or cold", async () => {
    await watchAll("counted");
    const facets = async (query: string) =>
      await (await world.ask(`/users/counted/watchhistory/facets?${query}`, { as: "counted" })).json();
    for (let round = 0; round < 2; round++) {
      expect(await facets("by=sport")).toEqual([
        { value: "cricket", count: 14 },
        { value: "football", count: 13 },
        { value: "golf", count: 13 },
      ]);
      expect(await facets("by=season&sport=golf&team=team+1")).toEqual(
        [0, 1, 2, 4].flatMap((season) => {
          const its = CATALOGUE.filter((_, n) => n % 3 === 2 && n % 4 === 1 && n % 5 === season);
          return its.length > 0 ? [{ value: String(season), count: its.length }] : [];
        }),
      );
    }
  });

  test("goes on through an eviction between two pages", async () => {
    const order = await watchAll("evicted");
    const expected = order.filter((id) => Number(id.slice(1)) % 3 === 0);
    let next: string | undefined = "/users/evicted/watchhistory?sport=cricket&limit=2";
    const walked: string[] = [];
    while (next !== undefined) {
      const page = await world.ask(next, { as: "evicted" });
      walked.push(...((await page.json()) as NarrowedItem[]).map(({ content_id }) => content_id as string));
      expect(walked.length).toBeLessThanOrEqual(COUNT);
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      await evict(world.redis, "evicted" as UserId);
    }
    expect(walked).toEqual(expected);
  });
});
