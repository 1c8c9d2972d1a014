import { type ContentId, compareIds } from "../../db/contract/ids.ts";
import { finishedAt, type Progress } from "../../db/contract/views.ts";
import type { Proposal } from "./next-episodes.ts";

/** A match that is still to come, as the rule sees it. */
export type Fixture = {
  content_id: ContentId;
  teams: readonly string[];
  /** The kickoff, in epoch milliseconds. */
  released_at: number;
  /** How far the viewer is; null when it is not in the history. */
  progress: Progress | null;
};

export type TeamFixture = { content_id: ContentId; team: string };

/**
 * The next fixture of each team, in the order of the teams; one of two of them is there once, for the first. What the
 * viewer is done with, such as by a mark, is left out.
 */
export function nextFixtures(
  teams: readonly string[],
  fixtures: readonly Fixture[],
  now: number,
): Proposal<TeamFixture> {
  const coming = fixtures
    .filter(({ released_at, progress }) => released_at > now && (!progress || finishedAt(progress) === 0))
    .sort((a, b) => a.released_at - b.released_at || compareIds(a.content_id, b.content_id));
  const proposed = new Map<Fixture, string>();
  for (const team of teams) {
    const next = coming.find((fixture) => fixture.teams.includes(team));
    if (next && !proposed.has(next)) proposed.set(next, team);
  }
  const kickoffs = [...proposed.keys()].map(({ released_at }) => released_at);
  return {
    proposed: Array.from(proposed, ([{ content_id }, team]) => ({ content_id, team })),
    until: kickoffs.length === 0 ? null : Math.min(...kickoffs),
  };
}
