import { sql } from "drizzle-orm";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Progress } from "../../db/contract/views.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { progressOf } from "../../db/redis/records.ts";
import { clearMark, shownItems } from "./load.ts";
import type { Episode } from "./next-episodes.ts";
import type { Fixture } from "./next-fixtures.ts";

/** Every episode of every show of which something is in the history, of one instant. */
export async function loadEpisodes(db: Database, user: UserId): Promise<Episode[]> {
  const rows = await db.execute(sql`
    WITH items AS MATERIALIZED (SELECT * FROM listitems ${shownItems(user)}),
    watched AS MATERIALIZED (
      SELECT DISTINCT show FROM contents WHERE content_id IN (SELECT content_id FROM items)
    ),
    done AS (
      SELECT content_id, array_agg(completed_at) AS completions FROM plays
      WHERE user_id = ${user} AND completed_at IS NOT NULL AND started_at > ${clearMark(user)}
      GROUP BY content_id
    )
    SELECT c.content_id, c.show, c.season, c.episode, c.released_at, ${PROGRESS}, d.completions
    FROM watched JOIN contents c USING (show)
    LEFT JOIN items i ON i.content_id = c.content_id
    LEFT JOIN done d ON d.content_id = i.content_id
    WHERE NOT c.removed AND c.season IS NOT NULL AND c.episode IS NOT NULL
  `);
  return (rows as unknown as EpisodeRow[]).map((row) => ({
    content_id: row.content_id,
    show: row.show,
    season: row.season,
    episode: row.episode,
    released_at: row.released_at,
    progress: progressIn(row),
    completions: row.completions ?? [],
  }));
}

/** The matches of these teams that are still to come. */
export async function loadFixtures(
  db: Database,
  user: UserId,
  { teams, now }: { teams: readonly string[]; now: number },
): Promise<Fixture[]> {
  if (teams.length === 0) return [];
  const rows = await db.execute(sql`
    WITH items AS (SELECT * FROM listitems ${shownItems(user)})
    SELECT c.content_id, c.teams, c.released_at, ${PROGRESS}
    FROM contents c LEFT JOIN items i ON i.content_id = c.content_id
    WHERE NOT c.removed AND c.kind IN ('match', 'live') AND c.teams && ${column(teams, "text")} AND c.released_at > ${now}
  `);
  return (rows as unknown as FixtureRow[]).map((row) => ({
    content_id: row.content_id,
    teams: row.teams,
    released_at: row.released_at,
    progress: progressIn(row),
  }));
}

/** Of an item `i` of the history, if it is there, and of its content `c`: what `progressIn` reads. */
const PROGRESS = sql`i.rev, i.watched_at, i.playback_time, i.duration, i.completed_at, i.catalog_id, i.position_at,
  i.marked_at, i.marked, i.dismissed_at, i.dismissed, c.duration AS content_duration, c.credits_at, c.kind`;

function progressIn(row: ProgressRow): Progress | null {
  if (row.rev === null) return null;
  const { content_id, rev, watched_at, playback_time, duration, completed_at, catalog_id } = row;
  const { position_at, marked_at, marked, dismissed, dismissed_at } = row;
  return progressOf(content_id, [
    [
      ...([rev, watched_at, playback_time, duration, completed_at, catalog_id] as const),
      [position_at, marked_at, marked ? 1 : 0, dismissed ? dismissed_at : 0],
    ],
    [0, row.content_duration, row.credits_at, row.kind === "live" ? 1 : 0],
  ]);
}

type ProgressRow = {
  content_id: ContentId;
  content_duration: number | null;
  credits_at: number | null;
  kind: string | null;
} & (ItemColumns | { [column in keyof ItemColumns]: null });

type ItemColumns = Omit<Progress, "content_id" | "credits_at" | "live"> & { rev: number; dismissed: boolean };
type EpisodeRow = ProgressRow & Omit<Episode, "progress" | "completions"> & { completions: number[] | null };
type FixtureRow = ProgressRow & Omit<Fixture, "progress">;
