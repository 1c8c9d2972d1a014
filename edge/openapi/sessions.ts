import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const sessionId = {
  ...{ name: "session_id", in: "path", required: true, description: "Which session" },
  schema: parameterSchemas.session_id,
};

const input = {
  ...{
    user_id: "alice",
    content_id: "movie-42",
    device_id: "tv-1",
    duration_seconds: 5_400,
    quality: "1080p",
  },
};
const session = {
  id: "0b0f6b1e-6f0c-4a63-9f3e-8d1f6f7a2c11",
  ...{ user_id: "alice", content_id: "movie-42", device_id: "tv-1", position_seconds: 1_830.5 },
  ...{ duration_seconds: 5_400, playback_state: "playing", quality: "1080p" },
  ...{ started_at: "2026-01-31T20:15:00.000Z", updated_at: "2026-01-31T20:15:00.000Z" },
};
const position = { position_seconds: 1_840.5, playback_state: "paused" };
const moved = { ...session, ...position, updated_at: "2026-01-31T20:15:10.000Z" };

/** Somebody else's session is not found. */
const asked = ["unauthorized", "invalid_input", "unavailable"] as const;
const written = ["malformed_json", "body_too_large", "unsupported_media_type"] as const;

const operation = (operationId: string, summary: string, description: string) => ({
  ...{ operationId, summary, description, tags: ["Playback sessions"] },
});
const body = (name: string, example: object) => ({
  required: true,
  content: { "application/json": { schema: ref(name), example } },
});

export const sessionPaths = {
  "/api/v1/sessions": {
    post: {
      ...operation(
        "startSession",
        "Begin to play",
        "Playback never waits for the history: while that is out of reach a session begins without a position to resume at.",
      ),
      requestBody: body("SessionInput", input),
      responses: {
        201: answers(
          "It began",
          ref("StartedSession"),
          { ...session, resume_position_seconds: 1_830.5 },
          { Location: { description: "Where it is found", schema: { type: "string" } } },
        ),
        ...problems(...asked, ...written, "forbidden"),
      },
    },
  },
  "/api/v1/sessions/{session_id}": {
    get: {
      ...operation("getSession", "A live session", "One that is over is not found any more."),
      parameters: [sessionId],
      responses: {
        200: answers("The session", ref("Session"), session),
        ...problems(...asked, "not_found"),
      },
    },
    delete: {
      ...operation(
        "endSession",
        "Stop playing",
        "The last reported position is kept in the history. To end a session again within a day changes nothing.",
      ),
      parameters: [sessionId],
      responses: {
        204: { description: "It is over" },
        ...problems(...asked, "not_found", "backlog_full"),
      },
    },
  },
  "/api/v1/sessions/{session_id}/position": {
    patch: {
      ...operation(
        "reportPosition",
        "Say where the player is",
        "It becomes an event of the history. A session that is not heard of for a while ends by itself, where it was last reported to be.",
      ),
      parameters: [sessionId],
      requestBody: body("PositionInput", position),
      responses: {
        200: answers("Durable", ref("Session"), moved),
        202: answers("Durable; the session itself learns of the next one", ref("Session"), moved),
        ...problems(...asked, ...written, "not_found", "backlog_full"),
      },
    },
  },
};
