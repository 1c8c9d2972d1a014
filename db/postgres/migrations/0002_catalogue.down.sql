CREATE OR REPLACE VIEW "watch_history" AS
SELECT
	i."id",
	i."user_id",
	i."content_id",
	CASE
		WHEN i."completed_at" >= i."position_at" THEN NULL
		WHEN i."duration_seconds" IS NULL OR i."duration_seconds" <= 0 THEN NULL
		WHEN i."playback_time" < 30 OR i."playback_time" / i."duration_seconds" > 0.95 THEN NULL
		ELSE i."playback_time"
	END AS "resume_position_seconds",
	i."duration_seconds",
	to_timestamp(i."position_at" / 1000.0) AS "last_watched_at",
	i."created_at",
	i."updated_at"
FROM (
	SELECT l.*, coalesce(l."duration", c."duration") AS "duration_seconds"
	FROM "listitems" l
	LEFT JOIN "history_users" u USING ("user_id")
	LEFT JOIN "contents" c USING ("content_id")
	WHERE l."playlist" = 'watchhistory'
		AND l."position_at" > greatest(l."deleted_at", coalesce(u."cleared_at", 0))
) i;
--> statement-breakpoint
DROP INDEX "listitems_viewers";
--> statement-breakpoint
DROP TABLE "content_changes";
--> statement-breakpoint
COMMENT ON COLUMN "contents"."rev" IS NULL;
--> statement-breakpoint
ALTER TABLE "contents" DROP COLUMN "kind", DROP COLUMN "sport", DROP COLUMN "series", DROP COLUMN "teams", DROP COLUMN "show", DROP COLUMN "season", DROP COLUMN "episode", DROP COLUMN "credits_at", DROP COLUMN "released_at", DROP COLUMN "removed";
