import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Changes, changesRequest } from "../../db/contract/changes.ts";
import { ContentInput, ContentView, ListedContentInput } from "../../db/contract/contents.ts";
import { ContinueItem } from "../../db/contract/continue-watching.ts";
import { HeartbeatInput } from "../../db/contract/events.ts";
import { NextFixture, NextUpItem } from "../../db/contract/next-up.ts";
import { PartyInput, PartyPatch } from "../../db/contract/parties.ts";
import { PartyLogsView, PartyMessageView, PartyView } from "../../db/contract/party-views.ts";
import { Profile, ProfileInput } from "../../db/contract/profiles.ts";
import { ContentRatings, RatingInput, RatingItem } from "../../db/contract/ratings.ts";
import { PositionInput, SessionInput, SessionView, StartedSession } from "../../db/contract/sessions.ts";
import { HistoryItem } from "../../db/contract/views.ts";
import { WatchlistInput, WatchlistItem } from "../../db/contract/watchlist.ts";
import { openapiText } from "../../edge/openapi/document.ts";
import { fakeEdge } from "../support/fake-edge.ts";

const published = readFileSync(new URL("../../edge/public/openapi.json", import.meta.url), "utf8");
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const document = JSON.parse(published);
type Operation = {
  operationId: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: object; example?: unknown }> }>;
  requestBody?: { content: Record<string, { examples: Record<string, { value: Record<string, unknown> }> }> };
};
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, its]) =>
  Object.entries(its).map(([method, operation]) => ({ path, method, operation })),
);

test("the published document is what the contract says", () => {
  expect(published).toBe(openapiText(version));
});

test("it holds exactly the routes of the app", () => {
  const served = fakeEdge()
    .app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`);
  const documented = operations.map(({ path, method }) => `${method} ${path}`);
  expect(new Set(documented)).toEqual(new Set(served));
});

test("every parameter of a path is described, every operation has its own name", () => {
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name);
    const described = operation.parameters?.filter((one) => one.in === "path").map(({ name }) => name) ?? [];
    expect(described).toEqual(named);
  }
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
});

test("every reference leads somewhere", () => {
  for (const [, name] of published.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    expect(document.components.schemas).toHaveProperty(name ?? "");
  }
});

test("the examples are valid", () => {
  const posts = operations.filter(({ method, path }) => method === "post" && /history$/.test(path));
  expect(posts.length).toBeGreaterThan(0);
  for (const { operation } of posts) {
    const { event, batch } = operation.requestBody?.content["application/json"]?.examples ?? {};
    expect(HeartbeatInput.safeParse(event?.value).success).toBe(true);
    expect(batch?.value.events).toHaveLength(1);
    for (const one of (batch?.value.events ?? []) as unknown[]) {
      expect(HeartbeatInput.safeParse(one).success).toBe(true);
    }
  }
  const item = document.paths["/users/{user_id}/watchhistory/{content_id}"].get.responses["200"];
  expect(HistoryItem.parse(item.content["application/json"].example)).toBeTruthy();
  const exampleOf = (path: string) =>
    document.paths[path].get.responses["200"].content["application/json"].example;
  const [entry] = exampleOf("/users/{user_id}/continue-watching");
  expect(ContinueItem.parse(entry)).toEqual(entry);
  const changes = exampleOf("/users/{user_id}/changes");
  expect(Changes.parse(changes)).toEqual(changes);
  expect(changesRequest({ since: [changes.cursor] }).since).not.toBeNull();
});

test("the examples of playback sessions are valid, and fit each other", () => {
  const exampleOf = ({ content }: Operation["responses"][string]) => content?.["application/json"]?.example;
  const { post } = document.paths["/api/v1/sessions"];
  const { get } = document.paths["/api/v1/sessions/{session_id}"];
  const { patch } = document.paths["/api/v1/sessions/{session_id}/position"];

  SessionInput.parse(exampleOf(post.requestBody));
  const started = StartedSession.parse(exampleOf(post.responses[201]));
  expect(started).toMatchObject(exampleOf(post.requestBody) as object);
  expect(started).toMatchObject(SessionView.parse(exampleOf(get.responses[200])));
  const position = PositionInput.parse(exampleOf(patch.requestBody));
  for (const answer of [patch.responses[200], patch.responses[202]]) {
    expect(SessionView.parse(exampleOf(answer))).toMatchObject(position);
  }
});

test("the examples of profiles, watchlists and ratings are valid, and fit each other", () => {
  type Its = { example?: unknown };
  const exampleOf = ({ content }: { content: Record<string, Its> }) => content["application/json"]?.example;
  const { "/profiles/{user_id}": profile, "/contents/{content_id}/ratings": reviewed } = document.paths;
  const watchlist = document.paths["/profiles/{user_id}/watchlist"];
  const ratings = document.paths["/profiles/{user_id}/ratings"];

  const facts = ProfileInput.parse(exampleOf(profile.put.requestBody));
  for (const answer of [profile.get.responses[200], profile.put.responses[200], profile.put.responses[202]]) {
    expect(Profile.strict().parse(exampleOf(answer))).toMatchObject(facts);
  }
  const { content_id } = WatchlistInput.parse(exampleOf(watchlist.post.requestBody));
  const [listed] = WatchlistItem.strict().array().parse(exampleOf(watchlist.get.responses[200]));
  for (const status of [200, 201, 202]) expect(exampleOf(watchlist.post.responses[status])).toEqual(listed);
  expect(listed?.content_id).toBe(content_id);
  const input = RatingInput.parse(exampleOf(ratings.post.requestBody));
  const [rating] = RatingItem.strict().array().parse(exampleOf(ratings.get.responses[200]));
  expect(rating).toMatchObject(input);
  const { distribution, count, mean } = ContentRatings.strict().parse(exampleOf(reviewed.get.responses[200]));
  const total = distribution.reduce((sum, its, at) => sum + its * (at + 1), 0);
  expect([distribution.reduce((sum, its) => sum + its), total / count]).toEqual([count, mean]);
});

test("the examples of what comes next are valid", () => {
  const { content } = document.paths["/users/{user_id}/next-up"].get.responses[200];
  const { episodes, sport } = content["application/json"].examples;
  expect(NextUpItem.strict().array().parse(episodes.value)).toHaveLength(1);
  expect(NextFixture.strict().array().parse(sport.value)).toHaveLength(1);
});

test("the examples of parties are valid", () => {
  const exampleOf = ({ content }: Operation["responses"][string]) => content?.["application/json"]?.example;
  const { post, get: list } = document.paths["/parties"];
  const { get, patch } = document.paths["/parties/{party_id}"];
  const { get: messages } = document.paths["/parties/{party_id}/messages"];
  const { get: logs } = document.paths["/parties/{party_id}/logs"];
  PartyInput.parse(exampleOf(post.requestBody));
  PartyPatch.parse(exampleOf(patch.requestBody));
  for (const answer of [post.responses[201], get.responses[200], patch.responses[200]]) {
    const view = exampleOf(answer);
    expect(view).toEqual(PartyView.strict().parse(view));
  }
  expect(PartyView.strict().array().parse(exampleOf(list.responses[200]))).toHaveLength(1);
  expect(PartyMessageView.strict().array().parse(exampleOf(messages.responses[200]))).toHaveLength(1);
  PartyLogsView.strict().parse(exampleOf(logs.responses[200]));
});

test("the examples of the catalogue are valid, and fit each other", () => {
  const { get, put } = document.paths["/contents/{content_id}"];
  const { post } = document.paths["/contents"];
  const exampleOf = ({ content }: Operation["responses"][string], type = "application/json") =>
    content?.[type]?.example;

  ContentInput.parse(exampleOf(put.requestBody));
  for (const answer of [get.responses[200], put.responses[200], put.responses[201]]) {
    const view = exampleOf(answer) as ContentView;
    expect(view).toMatchObject(ContentView.parse(view));
  }
  const list = exampleOf(post.requestBody) as unknown[];
  const lines = linesOf(exampleOf(post.requestBody, "application/x-ndjson"));
  expect(lines).toEqual(list);
  for (const listed of list) ListedContentInput.parse(listed);
  const { results } = exampleOf(post.responses[200]) as { results: { status: string }[] };
  const lineResults = linesOf(exampleOf(post.responses[200], "application/x-ndjson"));
  expect(lineResults.map(({ status }) => status)).toEqual(results.map(({ status }) => status));
});

function linesOf(text: unknown): { status: string }[] {
  return String(text)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
