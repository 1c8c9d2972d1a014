DROP TABLE "playlists", "listitems", "history_users", "contents";
