CREATE TABLE "watch_parties" (
	"party_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"content_id" text COLLATE "C" NOT NULL,
	"host_id" text COLLATE "C",
	"co_host_ids" text[] DEFAULT '{}' NOT NULL,
	"visibility" text NOT NULL,
	"invite_code" text NOT NULL,
	"status" text DEFAULT 'SCHEDULED' NOT NULL,
	"start_time" bigint DEFAULT 0 NOT NULL,
	"end_time" bigint DEFAULT 0 NOT NULL,
	"started_at" bigint DEFAULT 0 NOT NULL,
	"ended_at" bigint DEFAULT 0 NOT NULL,
	"flushed_at" bigint DEFAULT 0 NOT NULL,
	"peak_viewers" integer,
	"average_viewers" double precision,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "watch_parties_status" CHECK (status IN ('SCHEDULED', 'ONGOING', 'FINISHED', 'CANCELLED')),
	CONSTRAINT "watch_parties_visibility" CHECK (visibility IN ('public', 'invite'))
);
--> statement-breakpoint
CREATE TABLE "watch_party_likes" (
	"party_id" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"at" bigint DEFAULT 0 NOT NULL,
	"media_time" double precision NOT NULL,
	"user_id" text COLLATE "C",
	"count" integer NOT NULL,
	CONSTRAINT "watch_party_likes_party_id_event_id_pk" PRIMARY KEY("party_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "watch_party_logs" (
	"party_id" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"at" bigint DEFAULT 0 NOT NULL,
	"media_time" double precision NOT NULL,
	"user_id" text COLLATE "C",
	"event" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "watch_party_logs_party_id_event_id_pk" PRIMARY KEY("party_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "watch_party_members" (
	"party_id" text COLLATE "C" NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"joined_at" bigint DEFAULT 0 NOT NULL,
	"left_at" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "watch_party_members_party_id_user_id_pk" PRIMARY KEY("party_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "watch_party_messages" (
	"party_id" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"at" bigint DEFAULT 0 NOT NULL,
	"media_time" double precision NOT NULL,
	"user_id" text COLLATE "C",
	"name" text,
	"text" text NOT NULL,
	CONSTRAINT "watch_party_messages_party_id_event_id_pk" PRIMARY KEY("party_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "watch_party_viewers" (
	"party_id" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"at" bigint DEFAULT 0 NOT NULL,
	"media_time" double precision NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "watch_party_viewers_party_id_event_id_pk" PRIMARY KEY("party_id","event_id")
);
--> statement-breakpoint
CREATE INDEX "watch_parties_starts" ON "watch_parties" USING btree ("start_time") WHERE status = 'SCHEDULED';--> statement-breakpoint
CREATE INDEX "watch_parties_unflushed" ON "watch_parties" USING btree ("party_id") WHERE started_at > 0 AND flushed_at = 0;--> statement-breakpoint
CREATE INDEX "watch_parties_uncounted" ON "watch_parties" USING btree ("party_id") WHERE flushed_at > 0 AND peak_viewers IS NULL;--> statement-breakpoint
CREATE INDEX "watch_parties_listed" ON "watch_parties" USING btree ("status","start_time","party_id") WHERE visibility = 'public';--> statement-breakpoint
CREATE INDEX "watch_parties_hosts" ON "watch_parties" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "watch_parties_co_hosts" ON "watch_parties" USING gin ("co_host_ids");--> statement-breakpoint
CREATE INDEX "watch_party_likes_users" ON "watch_party_likes" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "watch_party_logs_order" ON "watch_party_logs" USING btree ("party_id","at","event_id");--> statement-breakpoint
CREATE INDEX "watch_party_logs_users" ON "watch_party_logs" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "watch_party_logs_named" ON "watch_party_logs" USING btree ((data->>'user_id')) WHERE data->>'user_id' IS NOT NULL;--> statement-breakpoint
CREATE INDEX "watch_party_members_users" ON "watch_party_members" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "watch_party_messages_order" ON "watch_party_messages" USING btree ("party_id","at","event_id");--> statement-breakpoint
CREATE INDEX "watch_party_messages_replay" ON "watch_party_messages" USING btree ("party_id","media_time","at","event_id");--> statement-breakpoint
CREATE INDEX "watch_party_messages_users" ON "watch_party_messages" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "watch_party_viewers_order" ON "watch_party_viewers" USING btree ("party_id","at","event_id");
--> statement-breakpoint
COMMENT ON TABLE "watch_parties" IS 'Parties. Times are epoch milliseconds; 0 for not yet.';
--> statement-breakpoint
COMMENT ON COLUMN "watch_parties"."flushed_at" IS 'When everything that was said in it was here.';
--> statement-breakpoint
COMMENT ON COLUMN "watch_parties"."peak_viewers" IS 'As many connections as there were at one time; null until all of the party is here.';
--> statement-breakpoint
COMMENT ON COLUMN "watch_parties"."average_viewers" IS 'Connections on the average of the time that it was on; null until all of it is here.';
--> statement-breakpoint
COMMENT ON TABLE "watch_party_members" IS 'Who was there, each once.';
--> statement-breakpoint
COMMENT ON TABLE "watch_party_logs" IS 'What happened in parties: who came and went, play, pause, seek.';
--> statement-breakpoint
COMMENT ON TABLE "watch_party_messages" IS 'What was said, with where the playback was; user_id is null when the user was erased.';
--> statement-breakpoint
COMMENT ON TABLE "watch_party_likes" IS 'What was liked, and where the playback was.';
--> statement-breakpoint
COMMENT ON TABLE "watch_party_viewers" IS 'How many connections watched, as it changed.';
