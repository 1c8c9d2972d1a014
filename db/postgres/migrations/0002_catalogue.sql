CREATE TABLE "content_changes" (
	"content_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"rev" bigint NOT NULL,
	"after_user" text COLLATE "C" DEFAULT '' NOT NULL,
	"viewers" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "kind" text;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "sport" text;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "series" text;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "teams" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "show" text;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "season" integer;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "episode" integer;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "credits_at" double precision;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "released_at" bigint;--> statement-breakpoint
ALTER TABLE "contents" ADD COLUMN "removed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "listitems_viewers" ON "listitems" USING btree ("content_id","playlist","user_id");
--> statement-breakpoint
CREATE OR REPLACE VIEW "watch_history" AS
SELECT
	i."id",
	i."user_id",
	i."content_id",
	CASE
		WHEN i."completed_at" >= i."position_at" OR i."kind" = 'live' THEN NULL
		WHEN i."duration_seconds" IS NULL OR i."duration_seconds" <= 0 THEN NULL
		WHEN i."playback_time" < 30 OR i."playback_time" / i."duration_seconds" > 0.95 THEN NULL
		WHEN i."playback_time" > i."credits_at" THEN NULL
		ELSE i."playback_time"
	END AS "resume_position_seconds",
	i."duration_seconds",
	to_timestamp(i."position_at" / 1000.0) AS "last_watched_at",
	i."created_at",
	i."updated_at"
FROM (
	SELECT l.*, coalesce(l."duration", c."duration") AS "duration_seconds", c."kind", c."credits_at"
	FROM "listitems" l
	LEFT JOIN "history_users" u USING ("user_id")
	LEFT JOIN "contents" c USING ("content_id")
	WHERE l."playlist" = 'watchhistory'
		AND l."position_at" > greatest(l."deleted_at", coalesce(u."cleared_at", 0))
) i;
--> statement-breakpoint
COMMENT ON TABLE "content_changes" IS 'Changes of the catalogue on their way to the records of viewers; a row goes when all of them have it.';
--> statement-breakpoint
COMMENT ON COLUMN "content_changes"."after_user" IS 'Viewers up to this one have it.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."rev" IS 'The version: +1 at every change. Redis keeps the higher one.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."removed" IS 'It was taken out of the catalogue; the row stays, so that its version goes on.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."series" IS 'A competition, with its season.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."season" IS 'Of a show; 0 for specials.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."credits_at" IS 'Seconds; where only the credits are left.';
--> statement-breakpoint
COMMENT ON COLUMN "contents"."released_at" IS 'Epoch milliseconds.';
