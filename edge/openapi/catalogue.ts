import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const contentId = {
  ...{ name: "content_id", in: "path", required: true, description: "Which content" },
  schema: parameterSchemas.content_id,
};

const facts = {
  kind: "match",
  title: "Arsenal FC - Everton FC",
  duration: 7_200,
  sport: "football",
  series: "English Premier League 2024/25",
  teams: ["Arsenal FC", "Everton FC"],
  released_at: "2024-12-14T15:00:00Z",
};
const listed = { content_id: "match-42", ...facts };
const content = {
  ...{ content_id: "match-42", kind: "match", title: facts.title, thumbnail: null, duration: 7_200 },
  ...{ sport: facts.sport, series: facts.series, teams: facts.teams },
  ...{ show: null, season: null, episode: null, credits_at: null, released_at: "2024-12-14T15:00:00.000Z" },
};
const analytics = {
  ...{ content_id: "match-42", viewers: 3, plays: 4, completions: 3, completion_rate: 0.75 },
  ...{ drop_off: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], mean_watched_share: 0.75 },
};
const rejected = { content_id: "match-43", status: "rejected" };
const faults = [{ path: "1.title", message: "1 to 500 characters, none of them NUL" }];
const lineFaults = [{ path: "title", message: "1 to 500 characters, none of them NUL" }];
const stored = { content_id: "match-42", status: "created" };

/** Of every operation here, whoever it is for. */
const asked = ["unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"] as const;
const written = ["malformed_json", "body_too_large", "unsupported_media_type"] as const;

const operation = (operationId: string, summary: string, description?: string) => ({
  operationId,
  summary,
  description: [description, "For the roles service and admin."].filter(Boolean).join(" "),
  tags: ["Catalogue"],
});

export const cataloguePaths = {
  "/contents/{content_id}": {
    get: {
      ...operation("getContent", "A content, and whether everybody who watched it has its last change"),
      parameters: [contentId],
      responses: {
        200: answers("The content", ref("CataloguedContent"), {
          ...content,
          changes: { carried: false, viewers: 12_000 },
        }),
        ...problems(...asked, "not_found"),
      },
    },
    put: {
      ...operation(
        "putContent",
        "Say what a content is",
        "All of it: what is left out is unknown from now on. Those who watched it get to see the change soon after.",
      ),
      parameters: [contentId],
      requestBody: {
        required: true,
        content: { "application/json": { schema: ref("ContentInput"), example: facts } },
      },
      responses: {
        200: answers("Stored; it was in the catalogue before", ref("Content"), content),
        201: answers("Stored; it is new in the catalogue", ref("Content"), content),
        ...problems(...asked, ...written),
      },
    },
    delete: {
      ...operation(
        "deleteContent",
        "Take a content out",
        "Histories keep their items, with less said about them.",
      ),
      parameters: [contentId],
      responses: { 204: { description: "It is gone" }, ...problems(...asked, "not_found") },
    },
  },
  "/contents/{content_id}/analytics": {
    get: {
      ...operation(
        "getAnalytics",
        "How a content is watched",
        "Counted as plays change, never by looking at all of them. Plays that were forgotten are not in it.",
      ),
      parameters: [contentId],
      responses: {
        200: answers("The counts", ref("ContentAnalytics"), analytics),
        ...problems("unauthorized", "forbidden", "not_found", "invalid_input", "history_off", "unavailable"),
      },
    },
  },
  "/contents": {
    post: {
      ...operation(
        "postContents",
        "Say what many contents are",
        "As a JSON array, within the limit of every body. Or as lines, a content a line of 64 KB at most, in a stream of " +
          "any length: the result of each line comes back while the others are still sent, and when a store fails " +
          "midway, the last line says which one is the first that is not stored. To send contents again is harmless. " +
          "A bad one never sinks the others.",
      ),
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: ref("ContentList"), example: [listed] },
          "application/x-ndjson": { schema: ref("ListedContent"), example: ndjson(listed) },
        },
      },
      responses: {
        200: {
          description: "What became of each",
          content: {
            "application/json": {
              schema: ref("ContentResults"),
              example: { results: [stored, { ...rejected, errors: faults }] },
            },
            "application/x-ndjson": {
              schema: ref("ContentLineResult"),
              example: ndjson({ line: 1, ...stored }, { line: 2, ...rejected, errors: lineFaults }),
            },
          },
        },
        ...problems(...asked, ...written),
      },
    },
  },
};

function ndjson(...lines: object[]): string {
  return lines.map((its) => `${JSON.stringify(its)}\n`).join("");
}
