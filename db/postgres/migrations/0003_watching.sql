CREATE TABLE "content_rollups" (
	"content_id" text COLLATE "C" NOT NULL,
	"measure" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "content_rollups_content_id_measure_pk" PRIMARY KEY("content_id","measure")
);
--> statement-breakpoint
CREATE TABLE "plays" (
	"user_id" text COLLATE "C" NOT NULL,
	"content_id" text COLLATE "C" NOT NULL,
	"play_id" text COLLATE "C" NOT NULL,
	"started_at" bigint NOT NULL,
	"completed_at" bigint,
	"reached" smallint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "plays_user_id_content_id_play_id_pk" PRIMARY KEY("user_id","content_id","play_id")
);
--> statement-breakpoint
ALTER TABLE "history_users" ADD COLUMN "paused_at" bigint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "history_users" ADD COLUMN "resumed_at" bigint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "listitems" ADD COLUMN "marked_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "listitems" ADD COLUMN "marked" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "listitems" ADD COLUMN "dismissed_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "listitems" ADD COLUMN "dismissed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "listitems" ADD COLUMN "watched_at" bigint GENERATED ALWAYS AS (greatest(position_at, CASE WHEN marked THEN marked_at ELSE 0 END)) STORED NOT NULL;--> statement-breakpoint
CREATE INDEX "contents_episodes" ON "contents" USING btree ("show","season","episode");--> statement-breakpoint
CREATE INDEX "contents_fixtures" ON "contents" USING gin ("teams");
--> statement-breakpoint
ALTER TABLE "plays" SET (fillfactor = 85);
--> statement-breakpoint
ALTER TABLE "content_rollups" SET (fillfactor = 50);
--> statement-breakpoint
CREATE OR REPLACE VIEW "watch_history" AS
SELECT
	i."id",
	i."user_id",
	i."content_id",
	CASE
		WHEN greatest(i."completed_at", i."marked_at") >= i."position_at" OR i."kind" = 'live' THEN NULL
		WHEN i."duration_seconds" IS NULL OR i."duration_seconds" < 0.001 OR i."playback_time" < 30 THEN NULL
		WHEN i."playback_time" / i."duration_seconds" > 0.95 THEN NULL
		WHEN i."playback_time" > i."credits_at" THEN NULL
		ELSE i."playback_time"
	END AS "resume_position_seconds",
	i."duration_seconds",
	to_timestamp(i."watched_at" / 1000.0) AS "last_watched_at",
	i."created_at",
	i."updated_at"
FROM (
	SELECT l.*, coalesce(l."duration", c."duration") AS "duration_seconds", c."kind", c."credits_at"
	FROM "listitems" l
	LEFT JOIN "history_users" u USING ("user_id")
	LEFT JOIN "contents" c USING ("content_id")
	WHERE l."playlist" = 'watchhistory'
		AND l."watched_at" > greatest(l."deleted_at", coalesce(u."cleared_at", 0))
) i;
--> statement-breakpoint
COMMENT ON TABLE "plays" IS 'Watchings of a content, each from its start to its completion or abandonment.';
--> statement-breakpoint
COMMENT ON COLUMN "plays"."play_id" IS 'As the event or its session says; else a slash, the UTC day, a slash and the device.';
--> statement-breakpoint
COMMENT ON COLUMN "plays"."started_at" IS 'Epoch milliseconds, the earliest event; 0 when the play is forgotten.';
--> statement-breakpoint
COMMENT ON COLUMN "plays"."completed_at" IS 'Epoch milliseconds, the earliest completion; null when there was none.';
--> statement-breakpoint
COMMENT ON COLUMN "plays"."reached" IS 'The furthest twentieth of the duration, 0 to 19; null while the duration is unknown.';
--> statement-breakpoint
COMMENT ON TABLE "content_rollups" IS 'What plays come to by content, kept in the transaction that changes them.';
--> statement-breakpoint
COMMENT ON COLUMN "content_rollups"."measure" IS 'viewers, plays, completions, or reached:0 to reached:19: plays by the furthest twentieth.';
--> statement-breakpoint
COMMENT ON COLUMN "history_users"."paused_at" IS 'Epoch milliseconds, each the start of a pause: what happened in it is not kept.';
--> statement-breakpoint
COMMENT ON COLUMN "history_users"."resumed_at" IS 'Epoch milliseconds, each the end of the pauses that began before it.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."watched_at" IS 'When it was last watched or marked as watched: where it stands in the history; 0 when it is not in it.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."marked_at" IS 'When the viewer said that it is watched, or that it is not.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."dismissed_at" IS 'When it was hidden from what to continue, or shown there again.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_at" IS 'When playback_time was so; 0 when it was not watched.';
