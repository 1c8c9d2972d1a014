import { sql } from "drizzle-orm";
import postgres from "postgres";
import type { Content } from "../../db/contract/contents.ts";
import { column } from "../../db/postgres/batch.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import { WATCH_HISTORY } from "../../db/postgres/schema/playlists.ts";
import { recordView, watchedItem } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { type ContentLookup, contentLookup } from "../../ingest/views/contents.ts";
import { loadPage } from "../../ingest/views/load.ts";
import type { Catalogue } from "./catalogue.ts";
import { LIMIT } from "./redis-store.ts";
import type { Ask } from "./shapes.ts";
import type { Found } from "./side.ts";
import { type Crowds, rowsInTime, SIZES } from "./viewers.ts";

const ROWS_A_STATEMENT = 5_000;

export type PostgresStore = { db: Database; contents: ContentLookup; stop: () => Promise<void> };

/** A migrated database of its own with the same histories, vacuumed and analysed as it would be in time. */
export async function startPostgresStore(server: string, name: string, data: Data): Promise<PostgresStore> {
  const url = new URL(server);
  url.pathname = name;
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  await admin`CREATE DATABASE ${admin(name)}`.finally(() => admin.end());
  await migrate(url.href);
  const { db, close } = connect(url.href, { max: 1 });
  await fill(db, data).catch(async (error) => {
    await close();
    throw error;
  });
  return { db, contents: contentLookup(db), stop: close };
}

/** As ingest reads what Redis does not hold, with the catalogue in its memory. */
export async function askPostgres(store: PostgresStore, { user, filter }: Ask): Promise<readonly Found[]> {
  const rows = await loadPage(store.db, user, { after: null, filter, limit: LIMIT + 1 });
  const known = await store.contents(rows);
  return rows.map((row) => {
    const content = known.get(row.content_id) ?? null;
    return { progress: watchedItem(row, content), record: content && recordView(content) };
  });
}

type Data = { crowds: Crowds; catalogue: Catalogue };

async function fill(db: Database, { crowds, catalogue }: Data): Promise<void> {
  await insertContents(db, catalogue.contents);
  for (const size of SIZES) {
    const rows = rowsInTime(crowds[size]);
    for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
      await insertRows(db, rows.slice(at, at + ROWS_A_STATEMENT));
    }
  }
  await db.execute(sql`VACUUM (ANALYZE) contents, listitems`);
}

async function insertContents(db: Database, contents: readonly Content[]): Promise<void> {
  const texts = (name: "content_id" | "kind" | "title" | "thumbnail" | "sport" | "series" | "show") =>
    column(
      contents.map((its) => its[name]),
      "text",
    );
  const numbers = (name: "duration" | "season" | "episode" | "credits_at") =>
    column(
      contents.map((its) => its[name]),
      "float8",
    );
  const teams = column(
    contents.map((its) => its.teams.join("|")),
    "text",
  );
  await db.execute(sql`
    INSERT INTO contents (
      content_id, kind, title, thumbnail, sport, series, show, teams, duration, season, episode, credits_at
    )
    SELECT content_id, kind, title, thumbnail, sport, series, show, string_to_array(teams, '|'), duration, season,
      episode, credits_at
    FROM unnest(
      ${texts("content_id")}, ${texts("kind")}, ${texts("title")}, ${texts("thumbnail")}, ${texts("sport")},
      ${texts("series")}, ${texts("show")}, ${teams}, ${numbers("duration")}, ${numbers("season")},
      ${numbers("episode")}, ${numbers("credits_at")}
    ) AS i (
      content_id, kind, title, thumbnail, sport, series, show, teams, duration, season, episode, credits_at
    )
  `);
}

async function insertRows(db: Database, rows: readonly HistoryRow[]): Promise<void> {
  const texts = (name: "user_id" | "content_id" | "catalog_id") =>
    column(
      rows.map((row) => row[name]),
      "text",
    );
  const numbers = (name: "playback_time" | "duration" | "watched_at") =>
    column(
      rows.map((row) => row[name]),
      "float8",
    );
  await db.execute(sql`
    INSERT INTO listitems (
      user_id, playlist, content_id, catalog_id, catalog_at, playback_time, position_at, duration, duration_at
    )
    SELECT user_id, ${WATCH_HISTORY}, content_id, catalog_id, position_at, playback_time, position_at, duration,
      position_at
    FROM unnest(
      ${texts("user_id")}, ${texts("content_id")}, ${texts("catalog_id")}, ${numbers("playback_time")},
      ${numbers("duration")}, ${numbers("watched_at")}
    ) AS i (user_id, content_id, catalog_id, playback_time, duration, position_at)
  `);
}
