import { sql } from "drizzle-orm";
import {
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from "drizzle-orm/pg-core";
import { createdAt, id, stamp, updatedAt } from "./columns.ts";

/** Parties. Times are epoch milliseconds; 0 for not yet. */
export const watchParties = pgTable(
  "watch_parties",
  {
    party_id: id("party_id").primaryKey(),
    title: text("title").notNull(),
    content_id: id("content_id").notNull(),
    host_id: id("host_id"),
    co_host_ids: text("co_host_ids").array().notNull().default([]),
    visibility: text("visibility").notNull(),
    /** Whoever knows it may come to a party that is not public. */
    invite_code: text("invite_code").notNull(),
    status: text("status").notNull().default("SCHEDULED"),
    start_time: stamp("start_time"),
    /** 0: until the host ends it. */
    end_time: stamp("end_time"),
    started_at: stamp("started_at"),
    ended_at: stamp("ended_at"),
    /** When everything that was said in it was here. */
    flushed_at: stamp("flushed_at"),
    /** As many as watched at one time, and on the average of its time; null until all of it is here. */
    peak_viewers: integer("peak_viewers"),
    average_viewers: doublePrecision("average_viewers"),
    created_at: createdAt,
    updated_at: updatedAt,
  },
  (table) => [
    check("watch_parties_status", sql`status IN ('SCHEDULED', 'ONGOING', 'FINISHED', 'CANCELLED')`),
    check("watch_parties_visibility", sql`visibility IN ('public', 'invite')`),
    // What the schedule has to do, and what is left to flush.
    index("watch_parties_starts").on(table.start_time).where(sql`status = 'SCHEDULED'`),
    index("watch_parties_unflushed").on(table.party_id).where(sql`started_at > 0 AND flushed_at = 0`),
    index("watch_parties_uncounted").on(table.party_id).where(sql`flushed_at > 0 AND peak_viewers IS NULL`),
    // What everybody finds, and what is somebody's own.
    index("watch_parties_listed")
      .on(table.status, table.start_time, table.party_id)
      .where(sql`visibility = 'public'`),
    index("watch_parties_hosts").on(table.host_id),
    index("watch_parties_co_hosts").using("gin", table.co_host_ids),
  ],
);

/** Who was there, each once. */
export const watchPartyMembers = pgTable(
  "watch_party_members",
  {
    party_id: id("party_id").notNull(),
    user_id: id("user_id").notNull(),
    joined_at: stamp("joined_at"),
    left_at: stamp("left_at"),
  },
  (table) => [
    primaryKey({ columns: [table.party_id, table.user_id] }),
    index("watch_party_members_users").on(table.user_id),
  ],
);

/** What every kind of event of a party has. `media_time` is in seconds; `user_id` is null when the user was erased. */
const happened = {
  party_id: id("party_id").notNull(),
  event_id: id("event_id").notNull(),
  at: stamp("at"),
  media_time: doublePrecision("media_time").notNull(),
  user_id: id("user_id"),
};

export const watchPartyLogs = pgTable(
  "watch_party_logs",
  { ...happened, event: text("event").notNull(), data: jsonb("data").notNull().default({}) },
  (table) => [
    primaryKey({ columns: [table.party_id, table.event_id] }),
    index("watch_party_logs_order").on(table.party_id, table.at, table.event_id),
    index("watch_party_logs_users").on(table.user_id),
    // Whom somebody else did something to.
    index("watch_party_logs_named").on(sql`(data->>'user_id')`).where(sql`data->>'user_id' IS NOT NULL`),
  ],
);

export const watchPartyMessages = pgTable(
  "watch_party_messages",
  { ...happened, name: text("name"), text: text("text").notNull() },
  (table) => [
    primaryKey({ columns: [table.party_id, table.event_id] }),
    index("watch_party_messages_order").on(table.party_id, table.at, table.event_id),
    index("watch_party_messages_replay").on(table.party_id, table.media_time, table.at, table.event_id),
    index("watch_party_messages_users").on(table.user_id),
  ],
);

export const watchPartyLikes = pgTable(
  "watch_party_likes",
  { ...happened, count: integer("count").notNull() },
  (table) => [
    primaryKey({ columns: [table.party_id, table.event_id] }),
    index("watch_party_likes_users").on(table.user_id),
  ],
);

/** How many connections watched, as it changed. */
export const watchPartyViewers = pgTable(
  "watch_party_viewers",
  {
    party_id: id("party_id").notNull(),
    event_id: id("event_id").notNull(),
    at: stamp("at"),
    media_time: doublePrecision("media_time").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.party_id, table.event_id] }),
    index("watch_party_viewers_order").on(table.party_id, table.at, table.event_id),
  ],
);
