import type { Content } from "../../db/contract/contents.ts";
import { DIMENSIONS, type Dimension, filterOf, valuesIn } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Cursor } from "../../db/contract/pages.ts";
import type { Progress } from "../../db/contract/views.ts";
import { searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundNarrowed } from "../../db/redis/replies.ts";
import { runScript } from "../redis.ts";
import type { ProjectDeps } from "./project.ts";

/** An item that the index finds under a value where Postgres does not, or the other way round. */
export type Misplaced = { content: string; value: string; found: boolean };

const PAGE = 500;

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

  const misplaced: Misplaced[] = [];
  for (const { dimension, value, items } of expected.values()) {
    const filter = filterOf({
      ...NOTHING,
      [dimension]: dimension === "team" ? [value] : numbered(dimension, value),
    });
    const found = new Set<string>();
    for (let after: Cursor | null = null, more = true; more; ) {
      const args = searchArguments(model, user, { limit: PAGE, after, filter });
      const seen = foundNarrowed(await runScript(redis, scripts.search, historyKeys(user), args));
      const page: Progress[] = seen.state === "page" ? seen.found.map(({ progress }) => progress) : [];
      for (const { content_id } of page) found.add(content_id);
      after = page.at(-1) ?? null;
      more = page.length > PAGE;
    }
    for (const content of items.symmetricDifference(found)) {
      misplaced.push({ content, value: `${dimension}=${value}`, found: found.has(content) });
    }
  }
  return misplaced;
}

const NOTHING = {
  ...{ asset_id: [], sport: null, series: null, team: [], team_match: null },
  ...{ show: null, season: null },
};

function numbered(dimension: Dimension, value: string): string | number {
  return dimension === "season" ? Number(value) : value;
}
