import { problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const parameters = [
  {
    ...{ name: "user_id", in: "path", required: true },
    description: "Whose it is: the token's own `sub`, unless its role allows more",
    schema: parameterSchemas.user_id,
  },
  {
    ...{ name: "limit", in: "query", required: false, description: "How many at most" },
    schema: parameterSchemas.next_up_limit,
  },
  {
    ...{ name: "kind", in: "query", required: false },
    description: "Episodes of the shows that are watched, or fixtures of the teams that are followed",
    schema: parameterSchemas.next_up_kind,
  },
];

const unknown = {
  ...{ thumbnail: null, sport: null, series: null, teams: [], show: null, season: null, episode: null },
  ...{ credits_at: null, released_at: null },
};
const episode = {
  ...{ content_id: "deep-water-s2e1", kind: "episode", title: "The Tide", duration: 2_700, ...unknown },
  ...{ show: "Deep Water", season: 2, episode: 1, credits_at: 2_610 },
  ...{ released_at: "2026-01-30T00:00:00.000Z", last_watched_at: "2026-01-31T20:15:00.000Z" },
};
const fixture = {
  ...{ content_id: "match-42", kind: "match", title: "Arsenal FC - Everton FC", duration: 7_200, ...unknown },
  ...{ sport: "football", series: "English Premier League 2025/26", teams: ["Arsenal FC", "Everton FC"] },
  ...{ released_at: "2026-02-07T15:00:00.000Z", team: "Arsenal FC" },
};

export const nextUpPaths = {
  "/users/{user_id}/next-up": {
    get: {
      operationId: "getNextUp",
      summary: "What to watch next",
      description:
        "The next episode of each show, after the one that was finished last: of those that are not finished, or, after " +
        "one that was watched again, the one that follows. Episodes that are not released are passed over, specials are " +
        "left out, and a show whose next or last watched episode is in progress is in what to continue instead. Or the next match or broadcast of each team " +
        "that is in most of the history.",
      tags: ["Watch history"],
      parameters,
      responses: {
        200: {
          description: "What was finished last, or is followed most, comes first",
          content: {
            "application/json": {
              schema: { type: "array", items: { anyOf: [ref("NextUpItem"), ref("NextFixture")] } },
              examples: { episodes: { value: [episode] }, sport: { value: [fixture] } },
            },
          },
        },
        ...problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable"),
      },
    },
  },
};
