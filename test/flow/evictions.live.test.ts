import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { Facet, NarrowedItem } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { searchIndex } from "../../db/redis/keys.ts";
import { evict } from "../../ingest/views/evict.ts";
import { putContents } from "../support/catalogue.ts";
import { contentOf } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

/** How often somebody reads while views come and go. */
const READS = 90;
const WRITES = 30;
const CATALOGUE = Array.from({ length: WRITES * 2 }, (_, n) =>
  contentOf(`c${n}`, { sport: n % 2 ? "cricket" : "golf", teams: ["India"] }),
);

describe.each(MODELS)("an absent view is not an empty list, by %s:", (model) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ HISTORY_INDEX: model, DRAIN_LINGER: "0" });
    await putContents(world.db, CATALOGUE);
  });
  afterAll(() => world.stop());

  /**
   * Reads and writes while something happens to the views, again and again. Every answer must hold all that was
   * visible when its question began: half of it is of one sport.
   */
  async function readWhile(viewer: string, disturb: () => Promise<unknown>) {
    const visible: string[] = [];
    let over = false;
    const seen = { answers: 0, fromRedis: 0, disturbed: 0 };

    const writing = (async () => {
      for (let n = 0; n < CATALOGUE.length; n += 2) {
        await world.watched(
          viewer,
          { content_id: `c${n}`, playback_time: n },
          { content_id: `c${n + 1}`, playback_time: n },
        );
        visible.push(`c${n + 1}`);
      }
    })();
    const disturbing = (async () => {
      while (!over) {
        await disturb();
        seen.disturbed++;
      }
    })();
    const read = async (n: number) => {
      const must = [...visible];
      const list = n % 3 > 0;
      const query = list
        ? `?sport=cricket${n % 3 === 1 ? "" : "&team=India&team=x"}&limit=200`
        : "/facets?by=sport";
      const answer = await world.ask(`/users/${viewer}/watchhistory${query}`, { as: viewer });
      expect([query, answer.status]).toEqual([query, 200]);
      seen.answers++;
      if (answer.headers.has("etag")) seen.fromRedis++;
      const body = await answer.json();
      if (list) {
        const ids = (body as NarrowedItem[]).map(({ content_id, sport }) => {
          expect(sport).toBe("cricket");
          return content_id as string;
        });
        expect(must.filter((id) => !ids.includes(id))).toEqual([]);
        expect(new Set(ids).size).toBe(ids.length);
      } else {
        const count = (body as Facet[]).find(({ value }) => value === "cricket")?.count ?? 0;
        expect(count).toBeGreaterThanOrEqual(must.length);
      }
    };
    const reading = [0, 1, 2].map(async (reader) => {
      for (let n = 0; n < READS || visible.length < WRITES; n++) await read(n + reader);
    });
    try {
      await Promise.all([writing, ...reading]);
    } finally {
      over = true;
      await disturbing;
    }
    expect(seen.answers).toBeGreaterThanOrEqual(READS * 3);
    expect(seen.disturbed).toBeGreaterThan(50);
    return seen;
  }

  test("a viewer is evicted all the time, while many read and somebody writes", async () => {
    const seen = await readWhile("evicted", () => evict(world.redis, "evicted" as UserId));
    expect(seen.answers).toBeGreaterThan(seen.fromRedis);
  });

  test("a viewer is evicted now and then, so that Redis answers, too", async () => {
    let turn = 0;
    const seen = await readWhile("now-and-then", async () => {
      if (++turn % 20 === 0) await evict(world.redis, "now-and-then" as UserId);
      else await world.redis.ping();
    });
    expect(seen.fromRedis).toBeGreaterThan(0);
  });

  test.runIf(model === "redisearch")("the index itself is dropped all the time", async () => {
    await readWhile("dropped", async () => {
      await world.redis.call("FT.DROP", searchIndex, "KEEPDOCS").catch(() => {});
      await world.ask("/users/dropped/watchhistory?sport=golf", { as: "dropped" });
    });
  });
});
