import { type Content, type ContentView, contentView } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import {
  NEXT_UP_MAX,
  type NextFixture,
  type NextUpItem,
  type NextUpKind,
  type NextUpRequest,
} from "../../db/contract/next-up.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { ContentLookup } from "./contents.ts";
import { loadFacets } from "./load.ts";
import { loadEpisodes, loadFixtures } from "./load-next-up.ts";
import { nextEpisodes } from "./next-episodes.ts";
import { nextFixtures } from "./next-fixtures.ts";
import { type NextUpCacheDeps, nextUpCache } from "./next-up-cache.ts";

/** How many of the teams that somebody follows count: those in most items of the history. */
const TEAMS = 10;

type Item = NextUpItem | NextFixture;
type Found = { items: Item[]; until: number | null };

/**
 * What a viewer watches next. It is worked out of Postgres, and kept for as long as nothing changes.
 *
 * A cold viewer is answered all the same, and nothing is kept: whoever shows this list shows the history or what to
 * continue beside it, and these warm the view. To wait for that here would only take longer.
 */
export function nextUpReader(deps: NextUpDeps): NextUpReader {
  const { db, contents, clock } = deps;
  const cache = nextUpCache(deps);
  const workOut: Record<NextUpKind, (user: UserId, now: number) => Promise<Found>> = { episodes, sport };

  async function nextUp(user: UserId, { kind, limit }: NextUpRequest): Promise<readonly Item[]> {
    const { items, basis } = await cache.look<Item>(user, kind);
    if (items) return items.slice(0, limit);
    const found = await workOut[kind](user, clock());
    if (basis) await cache.keep(user, kind, { ...basis, ...found });
    return found.items.slice(0, limit);
  }

  async function episodes(user: UserId, now: number): Promise<Found> {
    const { proposed, until } = nextEpisodes(await loadEpisodes(db, user), now);
    const items = await withViews(proposed, (view, { last_watched_at }) => ({
      ...view,
      last_watched_at: new Date(last_watched_at).toISOString(),
    }));
    return { items, until };
  }

  async function sport(user: UserId, now: number): Promise<Found> {
    const facets = await loadFacets(db, user, { by: "team", filter: null });
    const teams = facets.slice(0, TEAMS).map(({ value }) => value);
    const { proposed, until } = nextFixtures(teams, await loadFixtures(db, user, { teams, now }), now);
    return { items: await withViews(proposed, (view, { team }) => ({ ...view, team })), until };
  }

  /** As many as anybody may ask for, with what the catalogue says of each; what it lost meanwhile is left out. */
  async function withViews<Proposed extends { content_id: ContentId }>(
    proposed: readonly Proposed[],
    itemOf: (view: ContentView, its: Proposed) => Item,
  ): Promise<Item[]> {
    const wanted = proposed.slice(0, NEXT_UP_MAX);
    const known = await contents(wanted);
    return wanted.flatMap((its) => {
      const content = known.get(its.content_id);
      return content && !content.removed ? [itemOf(viewOf(content), its)] : [];
    });
  }

  return nextUp;
}

function viewOf({ rev: _rev, removed: _removed, ...listed }: Content): ContentView {
  return contentView(listed);
}

/** The next ones of a kind, up to a limit. */
export type NextUpReader = (user: UserId, request: NextUpRequest) => Promise<readonly Item[]>;
export type NextUpDeps = NextUpCacheDeps & { db: Database; contents: ContentLookup };
