CREATE SEQUENCE "public"."profile_revs" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "erased" (
	"user_hash" text COLLATE "C" PRIMARY KEY NOT NULL,
	"erased_at" bigint DEFAULT 0 NOT NULL,
	"accepted_at" bigint DEFAULT 0 NOT NULL,
	"user_id" text COLLATE "C",
	"passes" smallint DEFAULT 0 NOT NULL,
	"stream_id" text DEFAULT '' NOT NULL,
	"due_at" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"user_id" text COLLATE "C" NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"seq" bigserial NOT NULL,
	"event" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_user_id_id_pk" PRIMARY KEY("user_id","id")
);
--> statement-breakpoint
CREATE TABLE "profiles" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"name" text,
	"avatar" text,
	"preferences" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"saved_at" bigint DEFAULT 0 NOT NULL,
	"rev" bigint DEFAULT nextval('profile_revs') NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ratings" (
	"user_id" text COLLATE "C" NOT NULL,
	"content_id" text COLLATE "C" NOT NULL,
	"rating" smallint NOT NULL,
	"review" text,
	"rated_at" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ratings_user_id_content_id_pk" PRIMARY KEY("user_id","content_id"),
	CONSTRAINT "ratings_range" CHECK (rating BETWEEN 1 AND 10)
);
--> statement-breakpoint
CREATE INDEX "erased_due" ON "erased" USING btree ("due_at") WHERE user_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "outbox_order" ON "outbox" USING btree ("seq");--> statement-breakpoint
CREATE INDEX "ratings_reviews" ON "ratings" USING btree ("content_id","rated_at" DESC NULLS LAST,"user_id" DESC NULLS LAST) WHERE review IS NOT NULL;
--> statement-breakpoint
COMMENT ON TABLE "profiles" IS 'One row for everybody who has a profile, a watchlist or ratings; writes of one user take turns by its lock.';
--> statement-breakpoint
COMMENT ON COLUMN "profiles"."saved_at" IS 'Epoch milliseconds: when the profile was last put; 0 while nobody did.';
--> statement-breakpoint
COMMENT ON COLUMN "profiles"."rev" IS 'The version of profile, watchlist and ratings; it only grows, also past an erasure.';
--> statement-breakpoint
COMMENT ON TABLE "ratings" IS 'What users think of contents, from 1 to 10.';
--> statement-breakpoint
COMMENT ON COLUMN "ratings"."rated_at" IS 'Epoch milliseconds: when the rating or its review last changed.';
--> statement-breakpoint
COMMENT ON TABLE "outbox" IS 'Domain events that were committed with what they tell of, and are not on the bus yet.';
--> statement-breakpoint
COMMENT ON COLUMN "outbox"."event" IS 'A CloudEvent, as JSON.';
--> statement-breakpoint
COMMENT ON TABLE "erased" IS 'Who was erased, by a keyed hash.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."erased_at" IS 'Epoch milliseconds.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."accepted_at" IS 'Epoch milliseconds since when the user is accepted again; 0 while not.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."user_id" IS 'Whose erasure is not finished; null when it is.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."passes" IS 'How often everything was erased that there was.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."stream_id" IS 'The newest entry of the event stream when it was first erased.';
--> statement-breakpoint
COMMENT ON COLUMN "erased"."due_at" IS 'Epoch milliseconds: when somebody is to go on with an erasure.';
