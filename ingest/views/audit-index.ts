import type { Content } from "../../db/contract/contents.ts";
import { DIMENSIONS, type Dimension, filterOf, valuesIn } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundNarrowed } from "../../db/redis/replies.ts";
import { runScripts } from "../redis.ts";
import type { ProjectDeps } from "./project.ts";

/** An item that the index finds under a value where Postgres does not, or the other way round. */
export type Misplaced = { content: string; value: string; found: boolean };

/** More than any HISTORY_LIMIT that Redis can serve. */
const EVERYTHING = 1_000_000;

/** Asks the index for every value that the contents of these items have, and compares what it finds. */
export async function auditIndex(
  { redis, index }: ProjectDeps,
  user: UserId,
  { items, known }: { items: readonly ContentId[]; known: ReadonlyMap<ContentId, Content> },
): Promise<Misplaced[]> {
  const { model, scripts } = await index.current();
  const expected = new Map<string, { dimension: Dimension; value: string; items: Set<string> }>();
  for (const id of items) {
    const content = known.get(id);
    if (!content || content.removed) continue;
    for (const dimension of DIMENSIONS) {
      for (const value of valuesIn(dimension, content)) {
        const name = `${dimension}=${value}`;
        const its = expected.get(name) ?? { dimension, value, items: new Set() };
        expected.set(name, its);
        its.items.add(id);
      }
    }
  }

  const wanted = [...expected.values()];
  const calls = wanted.map(({ dimension, value }) => {
    const filter = filterOf({
      ...NOTHING,
      [dimension]: dimension === "team" ? [value] : numbered(dimension, value),
    });
    return {
      keys: historyKeys(user),
      args: searchArguments(model, user, { limit: EVERYTHING, after: null, filter }),
    };
  });
  const replies = await runScripts(redis, scripts.search, calls);
  return wanted.flatMap(({ dimension, value, items }, at) => {
    const seen = foundNarrowed(replies[at]);
    const found = new Set(
      seen.state === "page" ? seen.found.map(({ progress }) => progress.content_id as string) : [],
    );
    return [...items.symmetricDifference(found)].map((content) => ({
      content,
      value: `${dimension}=${value}`,
      found: found.has(content),
    }));
  });
}

const NOTHING = {
  ...{ asset_id: [], sport: null, series: null, team: [], team_match: null },
  ...{ show: null, season: null },
};

function numbered(dimension: Dimension, value: string): string | number {
  return dimension === "season" ? Number(value) : value;
}
