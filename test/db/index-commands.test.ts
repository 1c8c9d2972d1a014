import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alternativesOf, DIMENSIONS, type HistoryFilter } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { evictScript } from "../../db/redis/evict-scripts.ts";
import { jsonArray } from "../../db/redis/index/json-array.ts";
import { type IndexModel, MODELS } from "../../db/redis/index/model.ts";
import { facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { createIndex, dropIndex, redisearch, searchQuery } from "../../db/redis/index/redisearch.ts";
import { sortedSets } from "../../db/redis/index/sorted-sets.ts";
import { queryScripts } from "../../db/redis/query-scripts.ts";
import { packRecord, termOf } from "../../db/redis/records.ts";
import { viewScripts } from "../../db/redis/view-scripts.ts";
import { contentOf, filterWith } from "../support/rows.ts";

const alice = "alice" as UserId;
const ALICE = "616c696365";
const GENERATIONS = [1, 2] as const;
const EVERY: IndexModel[] = [redisearch(1), redisearch(2), sortedSets, jsonArray];

const full = contentOf("final", {
  ...{ title: 'The "final"\n', thumbnail: "t.jpg", sport: "a b", series: "é", teams: ["X", "x,y"] },
  ...{ show: "}", season: 0, episode: 12, duration: 60, credits_at: 50, kind: "match", rev: 7 },
});
const FULL = packRecord(full) ?? { view: "", terms: [] };
const VIEW =
  '{"title":"The \\"final\\"\\n","thumbnail":"t.jpg","sport":"a b","series":"é","teams":["X","x,y"],' +
  '"show":"}","season":0,"episode":12}';

function alternatives(narrowing: Partial<HistoryFilter>) {
  return alternativesOf(filterWith(narrowing));
}

describe("the search index", () => {
  test("is made over the same fields by both generations; the second is told which keys to watch", () => {
    const fields = ["user", "sport", "series", "team", "show", "season"].flatMap((name) => [name, "TAG"]);
    expect(createIndex(1)).toEqual(["FT.CREATE", "wh:idx", "SCHEMA", ...fields]);
    const over = ["ON", "HASH", "PREFIX", "1", "wh:record:"];
    expect(createIndex(2)).toEqual(["FT.CREATE", "wh:idx", ...over, "SCHEMA", ...fields]);
  });

  test("is dropped without its records by both", () => {
    expect(dropIndex(1)).toEqual(["FT.DROP", "wh:idx", "KEEPDOCS"]);
    expect(dropIndex(2)).toEqual(["FT.DROPINDEX", "wh:idx"]);
  });

  test("covers the keys of records, and those of nothing else", () => {
    expect(redisearch(2).prefix(alice)).toBe("wh:record:{alice}:");
    for (const { prefix } of [sortedSets, jsonArray]) expect(prefix(alice)).not.toMatch(/^wh:record:/);
  });
});

describe("a query", () => {
  test("asks for the user first, then for each dimension", () => {
    const all = { sport: "a b", series: "é", show: "}", season: 3, team: ["X"] };
    expect(searchQuery(alice, alternatives(all))).toBe(
      `@user:{${ALICE}} @sport:{612062} @series:{c3a9} @show:{7d} @season:{33} @team:{58}`,
    );
    expect(searchQuery("Alice" as UserId, alternatives({ sport: "a" }))).toBe(
      "@user:{416c696365} @sport:{61}",
    );
    expect(searchQuery(alice, alternatives({ season: 0 }))).toBe(`@user:{${ALICE}} @season:{30}`);
  });

  test("of several teams wants any of them in one tag, or all of them in as many", () => {
    const team = ["X", "x,y"];
    expect(searchQuery(alice, alternatives({ team }))).toBe(`@user:{${ALICE}} @team:{58|782c79}`);
    expect(searchQuery(alice, alternatives({ team, team_match: "all" }))).toBe(
      `@user:{${ALICE}} @team:{58} @team:{782c79}`,
    );
  });

  test("is the same in both generations", () => {
    const asked = alternatives({ sport: "a b", team: ["X", "Y"], season: 3 });
    expect(redisearch(1).filterArguments(alice, asked)).toEqual(redisearch(2).filterArguments(alice, asked));
    expect(redisearch(1).lua.reading).toBe(redisearch(2).lua.reading);
    expect(queryScripts(redisearch(1))).toEqual(queryScripts(redisearch(2)));
  });

  test("holds nothing that anybody said but in hex", () => {
    const anyText = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(anyText, fc.uniqueArray(anyText, { minLength: 1, maxLength: 4 }), (sport, team) => {
        for (const team_match of ["any", "all"] as const) {
          const asked = alternatives({ sport, show: sport, series: sport, team, team_match });
          const query = searchQuery(alice, asked);
          expect(query).toMatch(
            /^@user:\{[0-9a-f]+\}( @(sport|series|show|team):\{[0-9a-f]+(\|[0-9a-f]+)*\})+$/,
          );
          for (const { filterArguments } of [sortedSets, jsonArray]) {
            for (const argument of filterArguments(alice, asked)) {
              expect(argument).toMatch(/^(\d+|"?(sport|series|show|team):[0-9a-f]+"?)$/);
            }
          }
        }
      }),
    );
  });
});

describe("a record", () => {
  test("of redisearch is the fields of a hash, the values of a tag separated by commas", () => {
    for (const generation of GENERATIONS) {
      expect(JSON.parse(redisearch(generation).recordArgument(FULL))).toEqual([
        ...["view", VIEW, "sport", "612062", "series", "c3a9"],
        ...["team", "58,782c79", "show", "7d", "season", "30"],
      ]);
    }
  });

  test("of sorted-sets is what is shown, a line feed, and the terms", () => {
    const terms = "sport:612062 series:c3a9 team:58 team:782c79 show:7d season:30";
    expect(sortedSets.recordArgument(FULL)).toBe(`${VIEW}\n${terms}`);
  });

  test("of json-array is the rest of an element", () => {
    const terms = '["sport:612062","series:c3a9","team:58","team:782c79","show:7d","season:30"]';
    expect(jsonArray.recordArgument(FULL)).toBe(`${VIEW},${terms}`);
  });

  test("of which nothing is known has no terms", () => {
    const none = packRecord(contentOf("x")) ?? { view: "", terms: ["?"] };
    expect(none.terms).toEqual([]);
    for (const generation of GENERATIONS) {
      expect(JSON.parse(redisearch(generation).recordArgument(none))).toEqual(["view", none.view]);
    }
    expect(sortedSets.recordArgument(none)).toBe(`${none.view}\n`);
    expect(jsonArray.recordArgument(none)).toBe(`${none.view},[]`);
  });
});

describe("a filter as arguments", () => {
  test("of sorted-sets and json-array counts the values of each alternative", () => {
    const asked = alternatives({ sport: "a", season: 2, team: ["X", "Y"] });
    expect(sortedSets.filterArguments(alice, asked)).toEqual([
      ...["1", "sport:61", "1", "season:32", "2", "team:58", "team:59"],
    ]);
    expect(jsonArray.filterArguments(alice, asked)).toEqual([
      ...["1", '"sport:61"', "1", '"season:32"', "2", '"team:58"', '"team:59"'],
    ]);
    const both = alternatives({ team: ["X", "Y"], team_match: "all" });
    expect(sortedSets.filterArguments(alice, both)).toEqual(["1", "team:58", "1", "team:59"]);
    expect(jsonArray.filterArguments(alice, both)).toEqual(["1", '"team:58"', "1", '"team:59"']);
  });

  test.each(EVERY)("is not there when nothing is narrowed, or by assets alone: $name", (model) => {
    const asset_id = ["a", "b"] as ContentId[];
    const page = { limit: 50, after: null };
    const prefix = model.prefix(alice);
    expect(searchArguments(model, alice, { ...page, filter: null })).toEqual([
      ...["", prefix, "0", "50", "", ""],
    ]);
    expect(searchArguments(model, alice, { ...page, filter: filterWith({ asset_id }) }, "e.1")).toEqual([
      ...["e.1", prefix, "2", "a", "b", "50", "", ""],
    ]);
    expect(facetsArguments(model, alice, { by: "team", filter: null })).toEqual([
      ...["", prefix, "0", "team", "", ""],
    ]);
  });

  test.each(EVERY)("stands behind the cursor, or the dimension that is counted: $name", (model) => {
    const filter = filterWith({ asset_id: ["a"] as ContentId[], sport: "a" });
    const asked = model.filterArguments(alice, alternatives({ sport: "a" }));
    const after = { watched_at: 12, content_id: "c" as ContentId };
    expect(searchArguments(model, alice, { limit: 7, after, filter })).toEqual([
      ...["", model.prefix(alice), "1", "a", "7", "12", "c", ...asked],
    ]);
    expect(facetsArguments(model, alice, { by: "show", filter }, "e.1")).toEqual([
      ...["e.1", model.prefix(alice), "1", "a", "show", "", "", ...asked],
    ]);
  });
});

describe("the scripts", () => {
  test("of generation 1 tell the index of every change; those of generation 2 leave it to watch the keys", () => {
    const told = /FT\.(ADDHASH|SAFEADDHASH|ADD|DEL)/;
    for (const name of ["applyRows", "beginRefill", "finishRefill"] as const) {
      expect(viewScripts(redisearch(2))[name].source).not.toMatch(told);
    }
    const [one, two] = GENERATIONS.map((generation) => redisearch(generation).lua.writing);
    expect(one).toContain("redis.pcall('FT.ADDHASH', 'wh:idx', key, 1, 'REPLACE')");
    expect(one).toContain("redis.call('FT.DEL', 'wh:idx', prefix .. id, 'DD')");
    expect(two).not.toMatch(/FT\./);
    expect(two).toMatch(/'HSET', key/);
    expect(two).toMatch(/'DEL', prefix \.\. id/);
  });

  test("that only read say so, and hold no command that writes", () => {
    const writes = /'(SET|DEL|HSET|HDEL|ZADD|ZREM|SADD|SREM|FT\.(ADD|DEL|CREATE|DROP)\w*)'/;
    for (const model of EVERY) {
      for (const script of Object.values(queryScripts(model))) {
        expect(script.readOnly).toBe(true);
        expect(script.source).not.toMatch(writes);
      }
      for (const script of Object.values(viewScripts(model))) expect(script.readOnly).toBe(false);
    }
  });

  test("of models other than redisearch hold no command of the module", () => {
    for (const model of [sortedSets, jsonArray]) {
      const scripts = { ...queryScripts(model), ...viewScripts(model) };
      for (const { source } of Object.values(scripts)) expect(source).not.toMatch(/FT\.|wh:idx/);
    }
  });

  test("that evict know every model, and do not fail without the module", () => {
    const { source } = evictScript([redisearch(1), sortedSets, jsonArray]);
    for (const name of MODELS) expect(source).toContain(`['${name}'] = function`);
    expect(source).not.toMatch(/redis\.call\('FT\./);
  });
});

test("terms are hex, whatever the value", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...DIMENSIONS),
      fc.string({ unit: "grapheme", minLength: 1 }),
      (by, value) => {
        expect(termOf(by, value)).toMatch(new RegExp(`^${by}:[0-9a-f]+$`));
      },
    ),
  );
});
