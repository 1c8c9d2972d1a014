CREATE TABLE "contents" (
	"content_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"title" text,
	"thumbnail" text,
	"duration" double precision,
	"rev" bigint DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "history_users" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"cleared_at" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "listitems" (
	"user_id" text COLLATE "C" NOT NULL,
	"playlist" text NOT NULL,
	"content_id" text COLLATE "C" NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"playback_time" double precision DEFAULT 0 NOT NULL,
	"position_at" bigint DEFAULT 0 NOT NULL,
	"position_event_id" text COLLATE "C" DEFAULT '' NOT NULL,
	"duration" double precision,
	"duration_at" bigint DEFAULT 0 NOT NULL,
	"catalog_id" text COLLATE "C",
	"catalog_at" bigint DEFAULT 0 NOT NULL,
	"completed_at" bigint DEFAULT 0 NOT NULL,
	"deleted_at" bigint DEFAULT 0 NOT NULL,
	"rev" bigint DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "listitems_user_id_playlist_content_id_pk" PRIMARY KEY("user_id","playlist","content_id")
);
--> statement-breakpoint
CREATE TABLE "playlists" (
	"user_id" text COLLATE "C" NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "playlists_user_id_name_pk" PRIMARY KEY("user_id","name")
);
