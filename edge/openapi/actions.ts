import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const path = (name: "user_id" | "content_id", description: string) => ({
  ...{ name, in: "path", required: true, description },
  schema: parameterSchemas[name],
});
const query = (name: "occurred_at" | "sent_at" | "before", description: string) => ({
  ...{ name, in: "query", required: false, description },
  schema: parameterSchemas[name],
});
const userId = path("user_id", "Whose history it is: the token's own `sub`, unless its role allows more");
const contentId = path("content_id", "What was watched");
const moment = [
  query("occurred_at", "When it happened; now, when absent"),
  query("sent_at", "The device's clock as it sends, to put `occurred_at` right"),
];

const written = ["malformed_json", "body_too_large", "unsupported_media_type"] as const;
const refusals = [
  "unauthorized",
  "forbidden",
  "invalid_input",
  "history_off",
  "backlog_full",
  "unavailable",
] as const;
const operation = (operationId: string, summary: string, description?: string) => ({
  ...{ operationId, summary, tags: ["Watch history"] },
  ...(description ? { description } : {}),
});
const applied = {
  202: { description: "Durable; soon reads will show it as well" },
  204: { description: "Durable, and the next read shows it" },
};

const onItem = (
  operationId: string,
  summary: string,
  description?: string,
  parameters: object[] = moment,
) => ({
  ...operation(operationId, summary, description),
  parameters: [userId, contentId, ...parameters],
  responses: { ...applied, ...problems(...refusals) },
});

const marks = {
  sent_at: "2026-01-31T20:15:01Z",
  marks: [
    { content_id: "show-1-s1e1", occurred_at: "2026-01-31T20:15:00Z" },
    { content_id: "show-1-s1e2", watched: false },
  ],
};
const results = [
  { event_id: "0b0f6b1e.000", status: "accepted" },
  { event_id: "0b0f6b1e.001", status: "accepted" },
];
const accepted = { status: "ok", message: "Watch history updated", results };

/** What a viewer does to the history other than by watching. */
export const clearHistory = {
  ...operation("clearHistory", "Forget a whole history, or all of it up to a time"),
  parameters: [userId, query("before", "ISO 8601 with its offset, or epoch milliseconds; now, when absent")],
  responses: { ...applied, ...problems(...refusals) },
};
export const forgetItem = onItem("forgetHistoryItem", "Forget one item", undefined, []);

export const actionPaths = {
  "/users/{user_id}/watchhistory/{content_id}/watched": {
    put: onItem(
      "markWatched",
      "Mark as watched",
      "It is completed, and starts from the beginning, until it is watched again. It need not have been watched.",
    ),
    delete: onItem(
      "markUnwatched",
      "Mark as not watched",
      "What was watched and completed before counts no more; it stays in the history, if it was watched at all.",
    ),
  },
  "/users/{user_id}/watchhistory/watched": {
    post: {
      ...operation(
        "markMany",
        "Mark many as watched, or as not watched",
        "One bad mark never sinks the others. Of two marks of one content at one instant `watched` counts.",
      ),
      parameters: [userId],
      requestBody: {
        required: true,
        content: { "application/json": { schema: ref("Marks"), example: marks } },
      },
      responses: {
        200: answers("Durable, and the next read shows it", ref("Accepted"), accepted),
        202: answers("Durable; soon reads will show it as well", ref("Accepted"), accepted),
        ...problems(...refusals, ...written),
      },
    },
  },
  "/users/{user_id}/continue-watching/{content_id}/dismissed": {
    post: onItem(
      "dismiss",
      "Hide from what to continue",
      "Until there is newer activity. The history is not touched; of a show no older episode takes its place.",
    ),
    delete: onItem("undismiss", "Show again in what to continue"),
  },
  "/users/{user_id}/watchhistory/settings": {
    get: {
      ...operation("getHistorySettings", "Is the history paused?"),
      parameters: [userId],
      responses: {
        200: answers("The settings", ref("HistorySettings"), {
          ...{ paused: true, paused_since: "2026-01-31T20:15:00.000Z" },
        }),
        ...problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"),
      },
    },
    put: {
      ...operation(
        "putHistorySettings",
        "Pause the history, or go on with it",
        "What happens in a pause is not kept, whenever it arrives; to forget is always possible.",
      ),
      parameters: [userId],
      requestBody: {
        required: true,
        content: { "application/json": { schema: ref("SettingsInput"), example: { paused: true } } },
      },
      responses: { ...applied, ...problems(...refusals, ...written) },
    },
  },
};
