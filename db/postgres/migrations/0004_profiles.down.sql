DROP TABLE "ratings";
--> statement-breakpoint
DROP TABLE "profiles";
--> statement-breakpoint
DROP SEQUENCE "profile_revs";
--> statement-breakpoint
DROP TABLE "outbox";
--> statement-breakpoint
DROP TABLE "erased";
--> statement-breakpoint
DELETE FROM "content_rollups" WHERE "measure" LIKE 'rating:%';
