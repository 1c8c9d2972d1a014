import type { Content } from "../../db/contract/contents.ts";
import type { HistoryFilter } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { HistoryRow } from "../../db/rows.ts";

/** A row as Postgres would answer it: watched to the half hour, some time in 2026. */
export function historyRow(user: string, content: string, its: Partial<HistoryRow> = {}): HistoryRow {
  return {
    user_id: user as UserId,
    content_id: content as ContentId,
    catalog_id: null,
    playback_time: 1_800,
    duration: 5_400,
    watched_at: Date.UTC(2026, 0, 1),
    completed_at: 0,
    said: null,
    rev: 1,
    ...its,
  };
}

/** A content as the catalogue has it, of which nothing is known but what is given. */
export function contentOf(content_id: string, its: Partial<Content> = {}): Content {
  return {
    content_id: content_id as ContentId,
    ...{ kind: null, title: null, thumbnail: null, duration: null },
    ...{ sport: null, series: null, teams: [], show: null, season: null, episode: null },
    ...{ credits_at: null, released_at: null, rev: 1, removed: false },
    ...its,
  };
}

/** A filter that narrows by nothing but what is given. */
export function filterWith(narrowing: Partial<HistoryFilter>): HistoryFilter {
  const nothing = { asset_id: [], sport: null, series: null, team: [], show: null, season: null };
  return { ...nothing, team_match: "any", ...narrowing };
}
