import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const path = (name: "user_id" | "content_id", description: string) => ({
  ...{ name, in: "path", required: true, description },
  schema: parameterSchemas[name],
});
const query = (name: string, schema: object, description: string) => ({
  ...{ name, in: "query", required: false, description, schema },
});
const userId = path("user_id", "Whose it is: the token's own `sub`, unless its role allows more");
const contentId = path("content_id", "Which content");
const text = (description: string) => ({ description, schema: { type: "string" } });
const ifNoneMatch = {
  ...{ name: "If-None-Match", in: "header", required: false },
  ...text("The `ETag` of an earlier answer"),
};
const cursor = (schema: object) =>
  query("cursor", schema, "Where the page before ended; taken from its `Link`");
const page = [query("limit", parameterSchemas.limit, "Items on a page"), cursor(parameterSchemas.cursor)];
const tagged = { ETag: text("The version of this answer") };
const linked = { Link: text('`rel="next"`: the page that follows, where there is one') };

const profileInput = {
  name: "Alice",
  avatar: "https://images.example.com/alice.png",
  preferences: { subtitles: "en", autoplay: false },
};
const profile = { user_id: "alice", ...profileInput, updated_at: "2026-01-31T20:15:00.000Z" };
const listed = {
  ...{ content_id: "movie-42", added_at: "2026-01-30T18:00:00.000Z", title: "Deep Water", thumbnail: null },
  ...{ playback_time: 1_830.5, duration: 5_400, resume_position_seconds: 1_830.5, completed: false },
  last_watched_at: "2026-01-31T20:15:00.000Z",
};
const ratingInput = { content_id: "movie-42", rating: 8, review: "Better with every hour." };
const rating = { ...ratingInput, rated_at: "2026-01-31T22:00:00.000Z" };
const contentRatings = {
  ...{ content_id: "movie-42", count: 3, mean: 8, distribution: [0, 0, 0, 0, 0, 0, 1, 1, 1, 0] },
  reviews: [
    {
      ...{ rating: 8, review: "Better with every hour.", rated_at: "2026-01-31T22:00:00.000Z" },
      ...{ name: "Alice", avatar: "https://images.example.com/alice.png" },
    },
  ],
};

const asked = ["unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"] as const;
const changed = [...asked, "erased"] as const;
const written = ["malformed_json", "body_too_large", "unsupported_media_type"] as const;
const later = "Durable; soon reads will show it as well";
const unchanged = { description: "Nothing changed since that `ETag`" };

const operation = (operationId: string, summary: string, description?: string) => ({
  ...{ operationId, summary, tags: ["Profiles"] },
  ...(description ? { description } : {}),
});
const body = (schema: string, example: unknown) => ({
  required: true,
  content: { "application/json": { schema: ref(schema), example } },
});
const removal = (operationId: string, summary: string) => ({
  ...operation(operationId, summary, "Whether there is one or not."),
  parameters: [userId, contentId],
  responses: {
    202: { description: later },
    204: { description: "Durable, and the next read shows it" },
    ...problems(...changed),
  },
});

export const profilePaths = {
  "/profiles/{user_id}": {
    get: {
      ...operation("getProfile", "What a user is called and likes"),
      parameters: [userId, ifNoneMatch],
      responses: {
        200: answers("The profile", ref("Profile"), profile, tagged),
        304: unchanged,
        ...problems(...asked, "not_found"),
      },
    },
    put: {
      ...operation(
        "putProfile",
        "Say what a user is called and likes",
        "All of it: what is left out is gone. Preferences are for clients; nobody else looks at them.",
      ),
      parameters: [userId],
      requestBody: body("ProfileInput", profileInput),
      responses: {
        200: answers("Durable, and the next read shows it", ref("Profile"), profile),
        202: answers(later, ref("Profile"), profile),
        ...problems(...changed, ...written),
      },
    },
  },
  "/profiles/{user_id}/watchlist": {
    get: {
      ...operation("getWatchlist", "What a user wants to watch", "What was added last comes first."),
      parameters: [userId, ...page, ifNoneMatch],
      responses: {
        200: answers("One page", { type: "array", items: ref("WatchlistItem") }, [listed], {
          ...tagged,
          ...linked,
        }),
        304: unchanged,
        ...problems(...asked),
      },
    },
    post: {
      ...operation(
        "addToWatchlist",
        "Put something on a watchlist",
        "What is on it already stays where it is. A watchlist has 1,000 items at most.",
      ),
      parameters: [userId],
      requestBody: body("WatchlistInput", { content_id: "movie-42" }),
      responses: {
        200: answers("It was there, and the next read shows it", ref("WatchlistItem"), listed),
        201: answers("Added: durable, and the next read shows it", ref("WatchlistItem"), listed),
        202: answers(later, ref("WatchlistItem"), listed),
        ...problems(...changed, ...written, "list_full"),
      },
    },
  },
  "/profiles/{user_id}/watchlist/{content_id}": {
    delete: removal("removeFromWatchlist", "Take something off a watchlist"),
  },
  "/profiles/{user_id}/ratings": {
    get: {
      ...operation("getRatings", "What a user thinks of contents", "What changed last comes first."),
      parameters: [userId, ...page, ifNoneMatch],
      responses: {
        200: answers("One page", { type: "array", items: ref("Rating") }, [rating], { ...tagged, ...linked }),
        304: unchanged,
        ...problems(...asked),
      },
    },
    post: {
      ...operation(
        "rate",
        "Rate a content",
        "In the place of an earlier rating; a review that is left out is gone.",
      ),
      parameters: [userId],
      requestBody: body("RatingInput", ratingInput),
      responses: {
        200: answers("It was rated before; the next read shows it", ref("Rating"), rating),
        201: answers("Durable, and the next read shows it", ref("Rating"), rating),
        202: answers(later, ref("Rating"), rating),
        ...problems(...changed, ...written),
      },
    },
  },
  "/profiles/{user_id}/ratings/{content_id}": { delete: removal("unrate", "Take a rating back") },
  "/contents/{content_id}/ratings": {
    get: {
      ...operation(
        "getContentRatings",
        "What users think of a content",
        "For whoever has a token. Reviews tell the name and the avatar of a profile, and no user id.",
      ),
      parameters: [
        contentId,
        query("limit", parameterSchemas.reviews_limit, "Reviews on a page"),
        cursor(parameterSchemas.reviews_cursor),
      ],
      responses: {
        200: answers("Counts, and one page of reviews", ref("ContentRatings"), contentRatings, linked),
        ...problems("unauthorized", "invalid_input", "history_off", "unavailable"),
      },
    },
  },
};
