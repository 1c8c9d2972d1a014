import { type SQL, sql } from "drizzle-orm";
import { REACHED_BUCKETS } from "../../db/contract/analytics.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Stretch } from "../../db/contract/pauses.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { PlayChange } from "./fold-plays.ts";
import type { StoredPlay } from "./known-plays.ts";

export type ChangedPlay = StoredPlay & { said: boolean };

/** Plays of an item that began in this stretch of time are forgotten. */
export type PlayMask = Stretch & { user_id: UserId; content_id: ContentId };

/**
 * Merges plays by min and max, forgets those that a mask covers, and keeps the rollups of their contents, all in one
 * statement. A forgotten play is empty, and stays so: what comes late does not bring it back.
 *
 * The caller's transaction holds the locks of the items: nobody else changes plays of theirs meanwhile, so what is
 * counted is what changes, once.
 *
 * Answers with the plays of these changes as they are now; `said` when it is these changes that complete one, also if
 * an earlier attempt had stored that.
 */
export async function storePlays(
  tx: Transaction,
  changes: readonly PlayChange[],
  masks: readonly PlayMask[],
): Promise<ChangedPlay[]> {
  if (changes.length === 0 && masks.length === 0) return [];
  const rows = await tx.execute(sql`
    WITH change AS (${incoming(changes)}),
    mask AS (${masking(masks)}),
    merged AS (
      SELECT user_id, content_id, play_id, least(p.started_at, c.started_at) AS started_at,
        least(p.completed_at, c.completed_at) AS completed_at,
        greatest(p.reached, c.reached, ${furthest()}) AS reached,
        p.started_at AS was_started, p.completed_at AS was_completed, p.reached AS was_reached,
        c.completed_at AS said
      FROM change c LEFT JOIN plays p USING (user_id, content_id, play_id)
      UNION ALL
      SELECT DISTINCT p.user_id, p.content_id, p.play_id, p.started_at, p.completed_at, p.reached,
        p.started_at, p.completed_at, p.reached, NULL::bigint
      FROM plays p JOIN mask m USING (user_id, content_id)
      WHERE p.started_at BETWEEN m.masked_from AND m.masked_to
        AND (p.user_id, p.content_id, p.play_id) NOT IN (SELECT user_id, content_id, play_id FROM change)
    ),
    now AS (
      SELECT user_id, content_id, play_id, was_started, was_completed, was_reached, said,
        CASE WHEN gone THEN 0 ELSE started_at END AS started_at,
        CASE WHEN NOT gone THEN completed_at END AS completed_at,
        CASE WHEN NOT gone THEN reached END AS reached
      FROM (
        SELECT merged.*, started_at = 0 OR EXISTS (
          SELECT FROM mask m WHERE m.user_id = merged.user_id AND m.content_id = merged.content_id
            AND merged.started_at BETWEEN m.masked_from AND m.masked_to
        ) AS gone
        FROM merged
      ) judged
    ),
    moved AS (
      SELECT * FROM now
      WHERE (started_at, completed_at, reached) IS DISTINCT FROM (was_started, was_completed, was_reached)
    ),
    stored AS (
      INSERT INTO plays (user_id, content_id, play_id, started_at, completed_at, reached)
      SELECT user_id, content_id, play_id, started_at, completed_at, reached FROM moved
      ORDER BY user_id COLLATE "C", content_id COLLATE "C", play_id COLLATE "C"
      ON CONFLICT (user_id, content_id, play_id) DO UPDATE SET
        started_at = excluded.started_at, completed_at = excluded.completed_at, reached = excluded.reached
    ),
    rolled AS (
      INSERT INTO content_rollups AS r (content_id, measure, count)
      SELECT content_id, measure, sum(change) FROM (${countedIn(sql`moved`)}) counted
      GROUP BY content_id, measure HAVING sum(change) <> 0
      ORDER BY content_id COLLATE "C", measure COLLATE "C"
      ON CONFLICT (content_id, measure) DO UPDATE SET count = r.count + excluded.count
    )
    SELECT n.user_id, n.content_id, n.play_id, n.started_at, n.completed_at, n.reached,
      coalesce(n.completed_at = n.said, false) AS said
    FROM now n JOIN change USING (user_id, content_id, play_id)
  `);
  return rows as unknown as ChangedPlay[];
}

/** By how much each measure of a content changes when plays go from what they were to what they are. */
function countedIn(moved: SQL): SQL {
  return sql`
    SELECT content_id, 'plays' AS measure, (started_at > 0)::int - (coalesce(was_started, 0) > 0)::int AS change
    FROM ${moved}
    UNION ALL
    SELECT content_id, 'completions', (completed_at IS NOT NULL)::int - (was_completed IS NOT NULL)::int
    FROM ${moved}
    UNION ALL
    SELECT content_id, 'reached:' || reached, 1 FROM ${moved}
    WHERE reached IS NOT NULL AND reached IS DISTINCT FROM was_reached
    UNION ALL
    SELECT content_id, 'reached:' || was_reached, -1 FROM ${moved}
    WHERE was_reached IS NOT NULL AND reached IS DISTINCT FROM was_reached
    UNION ALL
    SELECT content_id, 'viewers', after::int - before::int FROM (
      SELECT m.content_id,
        EXISTS (SELECT FROM plays p WHERE p.user_id = m.user_id AND p.content_id = m.content_id AND p.started_at > 0)
          AS before,
        bool_or(m.started_at > 0) OR EXISTS (
          SELECT FROM plays p WHERE p.user_id = m.user_id AND p.content_id = m.content_id AND p.started_at > 0
            AND p.play_id NOT IN (SELECT play_id FROM ${moved} gone
              WHERE gone.user_id = m.user_id AND gone.content_id = m.content_id AND gone.started_at = 0)
        ) AS after
      FROM ${moved} m WHERE (m.started_at > 0) <> (coalesce(m.was_started, 0) > 0)
      GROUP BY m.user_id, m.content_id
    ) watched
  `;
}

/** How far events came that said no duration, if the catalogue knows it. Below a millisecond a quotient has no place. */
function furthest(): SQL {
  return sql`CASE WHEN c.furthest IS NOT NULL THEN (
    SELECT least(${REACHED_BUCKETS - 1}, floor(greatest(c.furthest, 0.001) / d.duration * ${REACHED_BUCKETS}))
    FROM contents d WHERE d.content_id = c.content_id AND d.duration >= 0.001
  ) END::smallint`;
}

function incoming(changes: readonly PlayChange[]): SQL {
  const text = (name: keyof PlayChange) => column(valuesOf(changes, name), "text");
  const number = (name: keyof PlayChange) => column(valuesOf(changes, name), "bigint");
  return sql`SELECT user_id COLLATE "C" AS user_id, content_id COLLATE "C" AS content_id,
    play_id COLLATE "C" AS play_id, started_at, completed_at, reached, furthest
    FROM unnest(
      ${text("user_id")}, ${text("content_id")}, ${text("play_id")}, ${number("started_at")},
      ${number("completed_at")}, ${number("reached")}, ${column(valuesOf(changes, "furthest"), "float8")}
    ) AS i (user_id, content_id, play_id, started_at, completed_at, reached, furthest)`;
}

function masking(masks: readonly PlayMask[]): SQL {
  const text = (name: keyof PlayMask) => column(valuesOf(masks, name), "text");
  const number = (name: keyof PlayMask) => column(valuesOf(masks, name), "bigint");
  return sql`SELECT * FROM unnest(${text("user_id")}, ${text("content_id")}, ${number("from")}, ${number("to")})
    AS i (user_id, content_id, masked_from, masked_to)`;
}

function valuesOf<T, K extends keyof T>(rows: readonly T[], name: K): T[K][] {
  return rows.map((row) => row[name]);
}
