import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "../../db/contract/contents.ts";
import { DIMENSIONS, type Dimension, type HistoryFilter, valuesIn } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { newestFirst, type PageRequest } from "../../db/contract/pages.ts";
import { facetsInOrder } from "../../db/contract/views.ts";
import { MODELS } from "../../db/redis/index/model.ts";
import { facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { recordView } from "../../db/redis/records.ts";
import { foundFacets, foundNarrowed } from "../../db/redis/replies.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { type HistoryIndex, historyIndexOn } from "../../ingest/views/history-index.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { contentOf, historyRow } from "../support/rows.ts";
import { warmUser } from "../support/warm.ts";

/** Questions to each model; every answer is compared with a plain filter in memory. */
const WORLDS = 45;
const QUESTIONS_A_WORLD = 250;

/** Who may be taken for each other, by case, by prefix, or by what a query language makes of them. */
const USERS = ["alice", "Alice", "alic", "alice2", "alice-2", "a:b", "*"].filter((id) => id !== "*");
const HOSTILE = [
  ...[
    "a",
    "A",
    "a b",
    "a,b",
    "a, b",
    "a-b",
    "a|b",
    'a"b',
    "a'b",
    "{a}",
    "}",
    "{",
    "a*",
    "*",
    "@user:{alice}",
  ],
  ...[
    "a}|@user:{alice",
    "\\",
    "a\\,b",
    "a.b",
    "a:b",
    "a;b",
    "(a)",
    "[a]",
    "~a",
    "%a%",
    "$a",
    "a\nb",
    "a\tb",
    " ",
    " a",
  ],
  ...[
    "ä",
    "Ä",
    "a\u0308",
    "ß",
    "SS",
    "İ",
    "i",
    "日本",
    "🏏",
    "É",
    "é",
    "null",
    "false",
    "0",
    "sport:61",
    "61",
    "x".repeat(128),
  ],
  ...[
    "X".repeat(128),
    "🏏".repeat(128),
    "\u0001",
    "a\u200bb",
    "-a",
    "!a",
    "=a",
    "<a>",
    "/a/",
    "a&b",
    "]],",
    '",[',
  ],
];

const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((text) => !text.includes("\0")),
  },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 3 });

const CONTENTS = ["c1", "C1", "c11", "c:1", "c-1", "c.1", "x", "X"];
const anyFacts = fc.record({
  title: maybe(anyValue),
  sport: maybe(anyValue),
  series: maybe(anyValue),
  teams: fc.uniqueArray(anyValue, { maxLength: 3 }),
  show: maybe(anyValue),
  season: maybe(fc.nat(3)),
});

/** Watched contents with equal times among them; of some the catalogue knows nothing. */
const anyWorld = fc.record({
  facts: fc.array(maybe(anyFacts), { minLength: CONTENTS.length, maxLength: CONTENTS.length }),
  watched: fc.array(
    fc.record({
      user: fc.constantFrom(...USERS),
      content: fc.nat(CONTENTS.length - 1),
      at: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 10, maxLength: 30 },
  ),
});
type Watched = { user: string; content: number; at: number };

function anyFilter(values: readonly string[]): fc.Arbitrary<HistoryFilter> {
  const value =
    values.length > 0 ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, anyValue) : anyValue;
  const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 1 });
  return fc.record({
    asset_id: fc.oneof(
      { weight: 3, arbitrary: fc.constant<ContentId[]>([]) },
      fc.uniqueArray(
        fc.constantFrom(...CONTENTS).map((id) => id as ContentId),
        { maxLength: 5 },
      ),
    ),
    sport: rarely(value),
    series: rarely(value),
    team: fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      fc.uniqueArray(value, { maxLength: 3 }),
    ),
    team_match: fc.constantFrom("any" as const, "all" as const),
    show: rarely(value),
    season: rarely(fc.nat(3)),
  });
}

describe.each(MODELS)("%s", (model) => {
  let server: TestRedis;
  let redis: ReturnType<typeof connectRedis>;
  let index: HistoryIndex;

  beforeAll(async () => {
    server = await startTestRedis({ appendfsync: "no" });
    redis = connectRedis(server.url);
    index = historyIndexOn(redis, model, createLog("silent"));
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  async function search(user: UserId, request: PageRequest) {
    const { model, scripts } = await index.current();
    const args = searchArguments(model, user, request);
    return foundNarrowed(await runScript(redis, scripts.search, historyKeys(user), args));
  }

  async function facets(user: UserId, by: Dimension, filter: HistoryFilter | null) {
    const { model, scripts } = await index.current();
    const args = facetsArguments(model, user, { by, filter });
    return foundFacets(await runScript(redis, scripts.facets, historyKeys(user), args));
  }

  test(`answers ${WORLDS * QUESTIONS_A_WORLD} hostile questions as a plain filter in memory does`, async () => {
    let asked = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(anyWorld, fc.infiniteStream(fc.nat()), async ({ facts, watched }, seeds) => {
        await redis.flushall();
        index.lost();
        const catalogue = catalogueOf(facts);
        const rows = rowsOf(watched);
        for (const user of USERS) {
          await warmUser({ redis, index }, user as UserId, rows.get(user) ?? [], { catalogue });
        }
        const known = catalogue.flatMap((content) => DIMENSIONS.flatMap((by) => valuesIn(by, content)));
        const filters = fc.sample(anyFilter(known), {
          numRuns: QUESTIONS_A_WORLD,
          seed: seeds.next().value ?? 0,
        });
        await Promise.all(
          filters.map(async (filter, n) => {
            const user = USERS[n % USERS.length] as UserId;
            const expected = plainly(rows.get(user) ?? [], catalogue, filter);
            const seen = await search(user, { limit: 200, after: null, filter });
            const items = seen.state === "page" ? seen.found : [];
            expect(items.map(({ progress }) => progress.content_id)).toEqual(
              expected.map((row) => row.content_id),
            );
            for (const { progress, record } of items) {
              const content = catalogue.find(({ content_id }) => content_id === progress.content_id);
              expect(record).toEqual(content ? recordView(content) : null);
            }
            asked++;
            found += items.length;

            const by = DIMENSIONS[n % DIMENSIONS.length] ?? "sport";
            const counted = await facets(user, by, filter);
            expect(counted.state === "facets" ? counted.found : null).toEqual(
              counts(expected, catalogue, by),
            );
          }),
        );
      }),
      { numRuns: WORLDS, endOnFailure: true },
    );
    expect(asked).toBe(WORLDS * QUESTIONS_A_WORLD);
    // The questions are not all about what is not there.
    expect(found).toBeGreaterThan(asked / 4);
  }, 120_000);
});

function catalogueOf(facts: readonly (Partial<Content> | null)[]): Content[] {
  return facts.flatMap((its, n) => (its ? [contentOf(CONTENTS[n] ?? "", its)] : []));
}

function rowsOf(watched: readonly Watched[]): Map<string, HistoryRow[]> {
  const rows = new Map<string, Map<string, HistoryRow>>();
  for (const { user, content, at } of watched) {
    const id = CONTENTS[content] ?? "";
    const its = rows.get(user) ?? new Map<string, HistoryRow>();
    rows.set(user, its.set(id, historyRow(user, id, { watched_at: at })));
  }
  return new Map([...rows].map(([user, its]) => [user, [...its.values()]]));
}

/** The promise in a few lines: what an item must be to be found, newest first. */
function plainly(
  rows: readonly HistoryRow[],
  catalogue: readonly Content[],
  filter: HistoryFilter,
): HistoryRow[] {
  const { asset_id, sport, series, team, team_match, show, season } = filter;
  return rows
    .filter(({ content_id }) => {
      const its = catalogue.find((content) => content.content_id === content_id) ?? contentOf(content_id);
      if (asset_id.length > 0 && !asset_id.includes(content_id)) return false;
      if (sport !== null && its.sport !== sport) return false;
      if (series !== null && its.series !== series) return false;
      if (show !== null && its.show !== show) return false;
      if (season !== null && its.season !== season) return false;
      if (team.length === 0) return true;
      return team_match === "all"
        ? team.every((name) => its.teams.includes(name))
        : team.some((name) => its.teams.includes(name));
    })
    .sort(newestFirst);
}

function counts(rows: readonly HistoryRow[], catalogue: readonly Content[], by: Dimension) {
  const values = new Map<string, number>();
  for (const { content_id } of rows) {
    const content = catalogue.find((its) => its.content_id === content_id);
    for (const value of content ? valuesIn(by, content) : []) values.set(value, (values.get(value) ?? 0) + 1);
  }
  return facetsInOrder(values);
}
