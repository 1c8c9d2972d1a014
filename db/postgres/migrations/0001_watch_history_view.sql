ALTER TABLE "listitems" SET (fillfactor = 70);
--> statement-breakpoint
CREATE VIEW "watch_history" AS
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
COMMENT ON TABLE "playlists" IS 'The lists of a user; a list is created with its first item.';
--> statement-breakpoint
COMMENT ON TABLE "contents" IS 'The catalogue. Events may name content that is not here.';
--> statement-breakpoint
COMMENT ON TABLE "history_users" IS 'What holds for the whole history of a user.';
--> statement-breakpoint
COMMENT ON COLUMN "history_users"."cleared_at" IS 'Epoch milliseconds: everything that happened up to here is forgotten, whatever the items say.';
--> statement-breakpoint
COMMENT ON TABLE "listitems" IS 'The items of every list: independent registers, each the newest by its own stamp (epoch milliseconds, 0 for never).';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."playback_time" IS 'Seconds, as last reported.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_at" IS 'When playback_time was so; 0 when the item is forgotten.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_event_id" IS 'The event that said so; of two at the same instant the higher id counts.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."duration" IS 'Seconds; null when unknown.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."completed_at" IS 'The latest completion.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."deleted_at" IS 'The item was forgotten up to here: masks every stamp that is not later.';
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."rev" IS 'The version of the row: +1 at every change, under its lock. Redis keeps the higher one.';
--> statement-breakpoint
COMMENT ON VIEW "watch_history" IS 'What a user would see, for analysts: forgotten items are not in it.';
