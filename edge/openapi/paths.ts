import { actionPaths, clearHistory, forgetItem } from "./actions.ts";
import { answers, problems, ref } from "./answers.ts";
import { cataloguePaths } from "./catalogue.ts";
import { nextUpPaths } from "./next-up.ts";
import { partyPaths } from "./parties.ts";
import { eraseUser, privacyPaths } from "./privacy.ts";
import { profilePaths } from "./profiles.ts";
import { readPaths } from "./reads.ts";
import { parameterSchemas } from "./schemas.ts";
import { sessionPaths } from "./sessions.ts";

const path = (name: keyof typeof parameterSchemas, description: string) => ({
  ...{ name, in: "path", required: true, description },
  schema: parameterSchemas[name],
});
const query = (name: keyof typeof parameterSchemas, description: string) => ({
  ...{ name, in: "query", required: false, description },
  schema: parameterSchemas[name],
});
const userId = path("user_id", "Whose history it is: the token's own `sub`, unless its role allows more");
const contentId = path("content_id", "What was watched");
const text = (description: string) => ({ description, schema: { type: "string" } });

const item = {
  content_id: "movie-42",
  catalog_id: null,
  playback_time: 1_830.5,
  duration: 5_400,
  resume_position_seconds: 1_830.5,
  completed: false,
  last_watched_at: "2026-01-31T20:15:00.000Z",
};
const heartbeat = { content_id: "movie-42", playback_time: 1_830.5, duration: 5_400 };
const batch = {
  sent_at: "2026-01-31T20:15:01Z",
  events: [{ ...heartbeat, occurred_at: "2026-01-31T20:15:00Z", event_id: "e-1" }],
};
const accepted = { status: "ok", message: "Watch history updated" };

const narrowed = {
  ...item,
  ...{ title: "The Final", thumbnail: null, sport: "cricket", series: "World Cup 2026" },
  ...{ teams: ["India", "England"], show: null, season: null, episode: null },
};
const ifNoneMatch = {
  ...{ name: "If-None-Match", in: "header", required: false },
  ...text("The `ETag` of an earlier answer"),
};
/** Values match exactly themselves, and everything that is given must hold. */
const narrowing = [
  query("asset_id", "Only these contents; again and again"),
  query("sport", "Only of this sport"),
  query("series", "Only of this series"),
  query("team", "Only with these teams; again and again"),
  query("team_match", "Whether any of the teams will do, or all must be there"),
  query("show", "Only of this show"),
  query("season", "Only of this season"),
];

const list = (operationId: string) => ({
  operationId,
  summary: "A history, newest first",
  description: "Narrowed by dimension, items carry what the catalogue knows of them.",
  tags: ["Watch history"],
  parameters: [
    userId,
    query("limit", "Items on a page"),
    query("cursor", "Where the page before ended; taken from its `Link`"),
    ...narrowing,
    ifNoneMatch,
  ],
  responses: {
    200: answers(
      "One page",
      { type: "array", items: { anyOf: [ref("NarrowedItem"), ref("HistoryItem")] } },
      [narrowed],
      {
        ETag: text("The version of this page"),
        Link: text('`rel="next"`: the page that follows, where there is one'),
      },
    ),
    304: { description: "Nothing changed since that `ETag`" },
    ...problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"),
  },
});

const post = (operationId: string, summary: string, parameter: object) => ({
  operationId,
  summary,
  description: "Answered once the events are durable. One bad event of a batch never sinks the others.",
  tags: ["Watch history"],
  parameters: [parameter],
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: { anyOf: [ref("Heartbeat"), ref("Batch")] },
        examples: { event: { value: heartbeat }, batch: { value: batch } },
      },
    },
  },
  responses: {
    202: answers("Durable", ref("Accepted"), accepted),
    ...problems(
      ...(["malformed_json", "unauthorized", "forbidden", "body_too_large"] as const),
      ...(["unsupported_media_type", "invalid_input", "history_off", "backlog_full", "unavailable"] as const),
    ),
  },
});

const operations = (operationId: string, summary: string, responses: object) => ({
  ...{ operationId, summary, tags: ["Operations"], security: [], responses },
});

const session = path("session_id", "A playback session, or the user; the token decides whose history it is");

export const paths = {
  "/users/{session_id}/playlists/watchhistory": {
    post: post("postSessionEvents", "Say where a player is", session),
  },
  "/users/{user_id}/watchhistory": {
    get: list("getHistory"),
    delete: clearHistory,
  },
  "/users/{user_id}/watchhistory/facets": {
    get: {
      operationId: "getHistoryFacets",
      summary: "How many items of a history have each value of a dimension",
      tags: ["Watch history"],
      parameters: [
        userId,
        { ...query("by", "The dimension; each team of an item counts"), required: true },
        ...narrowing,
        ifNoneMatch,
      ],
      responses: {
        200: answers(
          "Most frequent first",
          { type: "array", items: ref("Facet") },
          [{ value: "cricket", count: 12 }],
          { ETag: text("The version of these counts") },
        ),
        304: { description: "Nothing changed since that `ETag`" },
        ...problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"),
      },
    },
  },
  "/users/{user_id}/watchhistory/{content_id}": {
    get: {
      operationId: "getHistoryItem",
      summary: "One item of a history",
      tags: ["Watch history"],
      parameters: [userId, contentId],
      responses: {
        200: answers("The item", ref("HistoryItem"), item),
        ...problems("unauthorized", "forbidden", "not_found", "invalid_input", "history_off", "unavailable"),
      },
    },
    delete: forgetItem,
  },
  "/profiles/{user_id}/history": {
    get: list("getProfileHistory"),
    post: post("postProfileEvents", "Say what a user watched", userId),
  },
  ...actionPaths,
  ...nextUpPaths,
  ...readPaths,
  ...sessionPaths,
  ...profilePaths,
  "/profiles/{user_id}": { ...profilePaths["/profiles/{user_id}"], delete: eraseUser },
  ...privacyPaths,
  ...cataloguePaths,
  ...partyPaths,
  "/health": {
    get: operations("health", "Is it alive?", {
      200: answers("Alive", { type: "object" }, { status: "ok" }),
    }),
  },
  "/ready": {
    get: operations("ready", "Can it serve reads and writes?", {
      200: answers("Ready, if with less", ref("Ready"), { status: "ok", redis: true, ingest: true }),
      ...problems("unavailable"),
    }),
  },
  "/openapi.json": {
    get: operations("openapi", "This document", {
      200: { description: "OpenAPI 3.1", content: { "application/json": { schema: { type: "object" } } } },
    }),
  },
  "/events.json": {
    get: operations("events", "The schemas of the domain events", {
      200: {
        description: "JSON Schema 2020-12 of CloudEvents 1.0",
        content: { "application/json": { schema: { type: "object" } } },
      },
    }),
  },
};
