DROP VIEW "watch_history";
--> statement-breakpoint
ALTER TABLE "listitems" RESET (fillfactor);
--> statement-breakpoint
COMMENT ON TABLE "playlists" IS NULL;
--> statement-breakpoint
COMMENT ON TABLE "contents" IS NULL;
--> statement-breakpoint
COMMENT ON TABLE "history_users" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "history_users"."cleared_at" IS NULL;
--> statement-breakpoint
COMMENT ON TABLE "listitems" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."playback_time" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_at" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."position_event_id" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."duration" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."completed_at" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."deleted_at" IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "listitems"."rev" IS NULL;
