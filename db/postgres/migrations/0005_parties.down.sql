DROP TABLE "watch_party_viewers";
--> statement-breakpoint
DROP TABLE "watch_party_likes";
--> statement-breakpoint
DROP TABLE "watch_party_messages";
--> statement-breakpoint
DROP TABLE "watch_party_logs";
--> statement-breakpoint
DROP TABLE "watch_party_members";
--> statement-breakpoint
DROP TABLE "watch_parties";
