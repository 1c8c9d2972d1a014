import { bigint, boolean, doublePrecision, index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, id, stamp, updatedAt } from "./columns.ts";

/** The catalogue: what the content ids of events mean. An event may name content that is not here. */
export const contents = pgTable(
  "contents",
  {
    content_id: id("content_id").primaryKey(),
    kind: text("kind"),
    title: text("title"),
    thumbnail: text("thumbnail"),
    duration: doublePrecision("duration"),
    sport: text("sport"),
    series: text("series"),
    teams: text("teams").array().notNull().default([]),
    show: text("show"),
    season: integer("season"),
    episode: integer("episode"),
    credits_at: doublePrecision("credits_at"),
    released_at: bigint("released_at", { mode: "number" }),
    removed: boolean("removed").notNull().default(false),
    rev: bigint("rev", { mode: "number" }).notNull().default(1),
    created_at: createdAt,
    updated_at: updatedAt,
  },
  (table) => [
    // The episodes of a show in their order, and the fixtures of a team.
    index("contents_episodes").on(table.show, table.season, table.episode),
    index("contents_fixtures").using("gin", table.teams),
  ],
);

/**
 * Changes of the catalogue that have not reached every viewer's records yet, one row a content. A crash leaves the
 * row; whoever takes it up goes on after `after_user`.
 */
export const contentChanges = pgTable("content_changes", {
  content_id: id("content_id").primaryKey(),
  /** The version that is carried. */
  rev: bigint("rev", { mode: "number" }).notNull(),
  /** Viewers up to this one have it. */
  after_user: id("after_user").notNull().default(""),
  /** How many viewers have it. */
  viewers: stamp("viewers"),
  created_at: createdAt,
});
