import type { ListedContent } from "../../../db/contract/contents.ts";
import { historyOf, type Item } from "./items.ts";

export type NextFixture = ListedContent & { team: string };

/** Teams that count. */
const MOST_TEAMS = 10;

/** The next match of each of the teams that are most in the history, in their order; each match once. */
export function nextFixtures(
  items: readonly Item[],
  catalogue: ReadonlyMap<string, ListedContent>,
  now: number,
): NextFixture[] {
  const seen = historyOf(items).flatMap(({ content_id }) => catalogue.get(content_id)?.teams ?? []);
  const teams = [...Map.groupBy(seen, (team) => team)]
    .sort(([a, those], [b, others]) => others.length - those.length || (a < b ? -1 : 1))
    .slice(0, MOST_TEAMS)
    .map(([team]) => team);

  const finished = new Set(items.filter((item) => item.finished).map(({ content_id }) => content_id));
  const coming = [...catalogue.values()]
    .filter(
      ({ kind, released_at }) =>
        (kind === "match" || kind === "live") && released_at !== null && released_at > now,
    )
    .filter(({ content_id }) => !finished.has(content_id))
    .sort((a, b) => Number(a.released_at) - Number(b.released_at) || (a.content_id < b.content_id ? -1 : 1));

  const found = new Map<ListedContent, string>();
  for (const team of teams) {
    const next = coming.find((match) => match.teams.includes(team));
    if (next && !found.has(next)) found.set(next, team);
  }
  return Array.from(found, ([listed, team]) => ({ ...listed, team }));
}
