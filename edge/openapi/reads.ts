import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const userId = {
  ...{ name: "user_id", in: "path", required: true },
  description: "Whose it is: the token's own `sub`, unless its role allows more",
  schema: parameterSchemas.user_id,
};
const query = (name: string, schema: object, description: string) => ({
  ...{ name, in: "query", required: false, description, schema },
});
const ifNoneMatch = {
  ...{ name: "If-None-Match", in: "header", required: false },
  ...{ description: "The `ETag` of an earlier answer", schema: { type: "string" } },
};

const item = {
  ...{ content_id: "deep-water-s2e1", catalog_id: null, playback_time: 675, duration: 2_700 },
  ...{ resume_position_seconds: 675, completed: false, last_watched_at: "2026-01-31T20:15:00.000Z" },
};
const entry = {
  ...item,
  ...{ title: "The Tide", thumbnail: null, sport: null, series: null, teams: [] },
  ...{ show: "Deep Water", season: 2, episode: 1, progress: 0.25 },
};
const changes = {
  changes: [item, { content_id: "movie-42", deleted: true }],
  ...{ cursor: "6f0d3a52-9b7e-4c1d-8a57-0a7f4f0e9d11~0.118", has_more: false },
};

const refusals = problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable");

export const readPaths = {
  "/users/{user_id}/continue-watching": {
    get: {
      operationId: "getContinueWatching",
      summary: "What to continue",
      description:
        "What has a position to resume from, newest first, and of a show the newest of it alone. What was dismissed is " +
        "hidden until newer activity, and its whole show with it.",
      tags: ["Watch history"],
      parameters: [
        userId,
        query("limit", parameterSchemas.continue_limit, "How many entries at most"),
        ifNoneMatch,
      ],
      responses: {
        200: answers("The entries", { type: "array", items: ref("ContinueItem") }, [entry], {
          ETag: { description: "The version of this list", schema: { type: "string" } },
        }),
        304: { description: "Nothing changed since that `ETag`" },
        ...refusals,
      },
    },
  },
  "/users/{user_id}/changes": {
    get: {
      operationId: "getChanges",
      summary: "What changed in a history since a cursor",
      description:
        "Who starts from an empty list without a cursor, and applies what is told in its order, always ends with the " +
        "whole history; an item may be told again. With `reset`, which comes when what was told before can no longer be " +
        "followed, the list is to be emptied first.",
      tags: ["Watch history"],
      parameters: [
        userId,
        query("since", parameterSchemas.since, "The `cursor` of the answer before; nothing, to start"),
        query("limit", parameterSchemas.changes_limit, "How many changes at most"),
      ],
      responses: { 200: answers("What changed", ref("Changes"), changes), ...refusals },
    },
  },
};
