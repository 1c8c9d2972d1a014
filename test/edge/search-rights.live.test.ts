import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { changesArguments, readChanges } from "../../db/redis/change-scripts.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { continueArguments, facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys, searchIndex, searchIndexMaking } from "../../db/redis/keys.ts";
import { runScript } from "../../ingest/redis.ts";
import { letEdgeIn } from "../support/door.ts";
import { createIndexed, type Indexed } from "../support/indexed.ts";
import { contentOf, filterWith, historyRow } from "../support/rows.ts";

/** What the user of the edge's door may do with the index: ask it, and nothing else. */

const alice = "alice" as UserId;
const keys = historyKeys(alice);

describe.each(MODELS)("with %s", (model) => {
  let indexed: Indexed;
  let edge: Redis;
  beforeAll(async () => {
    indexed = await createIndexed(model);
    await letEdgeIn(indexed.server);
    const user = { username: "edge", password: "secret-of-the-edge" };
    edge = new Redis(indexed.server.url, { ...user, enableReadyCheck: false });
    const catalogue = [
      contentOf("a", { sport: "cricket", teams: ["India", "England"], show: "s", season: 1 }),
    ];
    await indexed.warm("alice", [historyRow("alice", "a")], { catalogue });
  });
  afterAll(async () => {
    edge.disconnect();
    await indexed.stop();
  });
  const scriptsAndModel = () => indexed.index.current();

  test("the edge asks for lists and facets, by every dimension", async () => {
    const { model: its, scripts } = await scriptsAndModel();
    const filters = [
      null,
      filterWith({ asset_id: ["a", "b"] as ContentId[] }),
      filterWith({ sport: "cricket", series: "x", show: "s", season: 1 }),
      ...(["any", "all"] as const).map((team_match) => filterWith({ team: ["India", "x"], team_match })),
    ];
    for (const filter of filters) {
      const after = { watched_at: 1e13, content_id: "z" as ContentId };
      const search = searchArguments(its, alice, { limit: 5, after, filter });
      expect(await runScript(edge, scripts.search, keys, search)).toContain("page");
      const facets = facetsArguments(its, alice, { by: "team", filter });
      expect(await runScript(edge, scripts.facets, keys, facets)).toContain("facets");
    }
  });

  test("the edge asks for what to continue, and for changes", async () => {
    const { model: its, scripts } = await scriptsAndModel();
    const entries = await runScript(edge, scripts.continueWatching, keys, continueArguments(its, alice, 5));
    expect(entries).toEqual(expect.arrayContaining(["page", '["a"]']));
    const since = changesArguments({ since: null, limit: 5 });
    expect(await runScript(edge, readChanges, keys, since)).toEqual(
      expect.arrayContaining(["changes", '["a"]']),
    );
  });

  test("it cannot write a record, make or drop an index, or run a script that does", async () => {
    const before = await dumps();
    const { scripts } = await scriptsAndModel();
    const attempts: (string | number)[][] = [
      ["HSET", "wh:record:{alice}:a", "sport", "x"],
      ["DEL", "wh:record:{alice}:a"],
      ["SADD", "wh:term:{alice}:sport:61", "x"],
      ["SREM", "wh:term:{alice}:sport:637269636b6574", "a"],
      ["SET", "wh:json:{alice}", "[]"],
      ["SET", searchIndexMaking, "mine"],
      ["FT.CREATE", "mine", "SCHEMA", "x", "TAG"],
      ["FT.DROP", searchIndex],
      ["FT.ADD", searchIndex, "doc", "1", "FIELDS", "user", "61"],
      ["FT.ADDHASH", searchIndex, "wh:record:{alice}:a", "1", "REPLACE"],
      ["FT.DEL", searchIndex, "wh:record:{alice}:a", "DD"],
      ["FT.INFO", searchIndex],
      ["FT.SEARCH", "another", "*"],
      ["MODULE", "LIST"],
      ...Object.values(scripts)
        .filter(({ readOnly }) => !readOnly)
        .map(({ source }) => ["EVAL", source, 4, ...keys, "x", 0, alice, "p", 0, 0]),
      ["EVAL_RO", "return redis.call('SET', KEYS[1], 'x')", 1, searchIndexMaking],
      ["EVAL_RO", `return redis.call('FT.DEL', '${searchIndex}', 'wh:record:{alice}:a', 'DD')`, 0],
    ];
    for (const [command = "", ...args] of attempts) {
      const outcome = await edge.call(String(command), ...args).catch((error: Error) => error);
      expect([command, args[0], outcome]).toEqual([command, args[0], expect.any(Error)]);
      expect(String(outcome)).toMatch(/NOPERM|no permissions|can't run|not allowed|unknown command/i);
    }
    expect(await dumps()).toEqual(before);
  });

  async function dumps() {
    const all = (await indexed.redis.keys("wh:*")).sort();
    return await Promise.all(all.map(async (key) => [key, await indexed.redis.dumpBuffer(key)]));
  }
});
