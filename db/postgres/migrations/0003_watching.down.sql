DROP VIEW "watch_history";
--> statement-breakpoint
ALTER TABLE "listitems" DROP COLUMN "watched_at";
--> statement-breakpoint
ALTER TABLE "listitems" DROP COLUMN "dismissed";
--> statement-breakpoint
ALTER TABLE "listitems" DROP COLUMN "dismissed_at";
--> statement-breakpoint
ALTER TABLE "listitems" DROP COLUMN "marked";
--> statement-breakpoint
ALTER TABLE "listitems" DROP COLUMN "marked_at";
--> statement-breakpoint
ALTER TABLE "history_users" DROP COLUMN "resumed_at";
--> statement-breakpoint
ALTER TABLE "history_users" DROP COLUMN "paused_at";
--> statement-breakpoint
DROP INDEX "contents_fixtures";
--> statement-breakpoint
DROP INDEX "contents_episodes";
--> statement-breakpoint
DROP TABLE "content_rollups";
--> statement-breakpoint
DROP TABLE "plays";
--> statement-breakpoint
CREATE VIEW "watch_history" AS
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
COMMENT ON VIEW "watch_history" IS 'What a user would see, for analysts: forgotten items are not in it.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_at" IS 'When playback_time was so; 0 when the item is forgotten.';
