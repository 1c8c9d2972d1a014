import * as z from "zod";
import { ClearQuery, MarkInput, MarksInput, MomentQuery, SettingsInput } from "../../db/contract/actions.ts";
import { ContentAnalytics } from "../../db/contract/analytics.ts";
import {
  CONTENT_OUTCOMES,
  type ContentLineResult,
  ContentList,
  type ContentResult,
} from "../../db/contract/bulk.ts";
import { Changes, ChangesQuery } from "../../db/contract/changes.ts";
import { ContentInput, ContentView, ListedContentInput } from "../../db/contract/contents.ts";
import { ContinueItem, ContinueQuery } from "../../db/contract/continue-watching.ts";
import { BatchInput, type EventResult, HeartbeatInput } from "../../db/contract/events.ts";
import { ContentId, PlainId, UserId } from "../../db/contract/ids.ts";
import { NextFixture, NextUpItem, NextUpQuery } from "../../db/contract/next-up.ts";
import { FacetsQuery, HistoryQuery } from "../../db/contract/pages.ts";
import { PartyInput, PartyPatch } from "../../db/contract/parties.ts";
import { PartiesQuery, PartyMessagesQuery } from "../../db/contract/party-lists.ts";
import { PartyLogsView, PartyMessageView, PartyView } from "../../db/contract/party-views.ts";
import { Export, Receipt } from "../../db/contract/privacy.ts";
import { Profile, ProfileInput } from "../../db/contract/profiles.ts";
import { ContentRatings, RatingInput, RatingItem } from "../../db/contract/ratings.ts";
import { type Fault, problem, REFUSALS, Refusal, type RefusalCode } from "../../db/contract/refusals.ts";
import type { AcceptedAnswer } from "../../db/contract/requests.ts";
import { ReviewsQuery } from "../../db/contract/reviews.ts";
import { PositionInput, SessionInput, SessionView, StartedSession } from "../../db/contract/sessions.ts";
import { Facet, HistoryItem, HistorySettings, NarrowedItem } from "../../db/contract/views.ts";
import { WatchlistInput, WatchlistItem } from "../../db/contract/watchlist.ts";
import { inputSchema as input, type JsonSchema, outputSchema as output } from "./json-schema.ts";

const codes = Object.keys(REFUSALS) as RefusalCode[];

const FaultSchema: z.ZodType<Fault> = z.object({
  path: z.string().describe("Where the input is wrong, such as `events.3.playback_time`"),
  message: z.string(),
});

const EventResultSchema: z.ZodType<EventResult> = z.object({
  event_id: z.string(),
  status: z.enum(["accepted", "rejected"]),
  errors: z.array(FaultSchema).optional(),
}) as z.ZodType<EventResult>;

const AcceptedSchema = z.object({
  status: z.literal("ok"),
  message: z.string(),
  results: z.array(EventResultSchema).optional().describe("For a batch: one for each event, in its order"),
}) as z.ZodType<AcceptedAnswer>;

const contentResult = {
  content_id: z.string().nullable().describe("null when it named none that could be one"),
  status: z.enum(CONTENT_OUTCOMES),
  errors: z.array(FaultSchema).optional(),
};
const ContentResultSchema = z.object(contentResult) as z.ZodType<ContentResult>;

const line = z.int().min(1).describe("Which line, counted from 1, blank ones too");
const ContentLineResultSchema = z.object({ line, ...contentResult }) as z.ZodType<ContentLineResult>;
const FailedLineSchema = z.object({
  line: line.describe("The first line that is not stored"),
  status: z.literal("failed"),
  ...{ type: z.string(), title: z.string(), detail: z.string(), code: z.enum(codes), request_id: z.string() },
});

const CataloguedSchema = ContentView.extend({
  changes: z.object({
    carried: z.boolean().describe("Everybody who watched it has its last change"),
    viewers: z.int().min(0).nullable().describe("How many have it so far; null when all of them have it"),
  }),
});

const exampleRefusal = new Refusal("invalid_input", "playback_time: Too small: expected number to be >=0", {
  errors: [{ path: "playback_time", message: "Too small: expected number to be >=0" }],
});

const ProblemSchema = z
  .object({
    type: z.string().describe("`urn:playhead:problem:` and the code"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    request_id: z.string(),
    errors: z.array(FaultSchema).optional(),
    results: z.array(EventResultSchema).optional().describe("When no event of a batch is valid"),
  })
  .meta({ examples: [JSON.parse(problem(exampleRefusal, "0f8c1c3e-6f2b-4f43-9d55-1f9d3f0a7a01").body)] });

const ReadySchema = z.object({
  status: z.enum(["ok", "degraded"]),
  redis: z.boolean(),
  ingest: z.boolean(),
});

/** The schemas of `components`: what validates is what is published. */
export const schemas = {
  Heartbeat: input(HeartbeatInput),
  Batch: listOf("events", "Heartbeat", input(BatchInput)),
  Accepted: output(AcceptedSchema),
  HistoryItem: output(HistoryItem),
  NarrowedItem: output(NarrowedItem),
  Facet: output(Facet),
  Mark: input(MarkInput),
  Marks: listOf("marks", "Mark", input(MarksInput)),
  SettingsInput: input(SettingsInput),
  HistorySettings: output(HistorySettings),
  ContentAnalytics: output(ContentAnalytics),
  ContinueItem: output(ContinueItem),
  Changes: output(Changes),
  SessionInput: input(SessionInput),
  PositionInput: input(PositionInput),
  Session: output(SessionView),
  StartedSession: output(StartedSession),
  NextUpItem: output(NextUpItem),
  NextFixture: output(NextFixture),
  ProfileInput: input(ProfileInput),
  Profile: output(Profile),
  Receipt: output(Receipt),
  Export: output(Export),
  WatchlistInput: input(WatchlistInput),
  WatchlistItem: output(WatchlistItem),
  RatingInput: input(RatingInput),
  Rating: output(RatingItem),
  ContentRatings: output(ContentRatings),
  ContentInput: input(ContentInput),
  ListedContent: input(ListedContentInput),
  ContentList: { ...input(ContentList), items: { $ref: "#/components/schemas/ListedContent" } },
  Content: output(ContentView),
  CataloguedContent: output(CataloguedSchema),
  ContentResults: output(
    z.object({ results: z.array(ContentResultSchema).describe("In the order of the items") }),
  ),
  ContentLineResult: output(z.union([ContentLineResultSchema, FailedLineSchema])),
  PartyInput: input(PartyInput),
  PartyPatch: input(PartyPatch),
  Party: output(PartyView),
  PartyMessage: output(PartyMessageView),
  PartyLogs: output(PartyLogsView),
  Ready: output(ReadySchema),
  Problem: output(ProblemSchema),
};

/** The schemas of parameters. */
export const parameterSchemas = {
  user_id: input(UserId),
  content_id: input(ContentId),
  session_id: input(PlainId),
  limit: output(HistoryQuery.shape.limit),
  cursor: given(HistoryQuery.shape.cursor),
  by: input(FacetsQuery.shape.by),
  asset_id: input(HistoryQuery.shape.asset_id),
  team: input(HistoryQuery.shape.team),
  team_match: given(HistoryQuery.shape.team_match),
  sport: given(HistoryQuery.shape.sport),
  series: given(HistoryQuery.shape.series),
  show: given(HistoryQuery.shape.show),
  season: given(HistoryQuery.shape.season),
  continue_limit: output(ContinueQuery.shape.limit),
  changes_limit: output(ChangesQuery.shape.limit),
  since: input(ChangesQuery.shape.since),
  next_up_limit: output(NextUpQuery.shape.limit),
  next_up_kind: input(NextUpQuery.shape.kind),
  party_id: input(PlainId),
  party_status: given(PartiesQuery.shape.status),
  parties_limit: output(PartiesQuery.shape.limit),
  invite: given(PartyMessagesQuery.shape.invite),
  media_time: given(PartyMessagesQuery.shape.after),
  messages_limit: output(PartyMessagesQuery.shape.limit),
  reviews_limit: output(ReviewsQuery.shape.limit),
  reviews_cursor: given(ReviewsQuery.shape.cursor),
  before: time(ClearQuery.shape.before),
  occurred_at: time(MomentQuery.shape.occurred_at),
  sent_at: time(MomentQuery.shape.sent_at),
};

/** Each of a list is checked alone, so the contract leaves them open; a reader wants to know what they are. */
function listOf(member: string, item: string, list: JsonSchema): JsonSchema {
  const properties = list.properties as Record<string, JsonSchema>;
  const items = { $ref: `#/components/schemas/${item}` };
  return { ...list, properties: { ...properties, [member]: { ...properties[member], items } } };
}

function time(schema: z.ZodDefault<z.ZodNullable<z.ZodType>>): JsonSchema {
  return { ...given(schema), examples: ["2026-01-31T20:15:00Z"] };
}

/** A parameter is given or left out, and never null. */
function given(schema: z.ZodDefault<z.ZodNullable<z.ZodType>>): JsonSchema {
  return input(schema.unwrap().unwrap());
}
