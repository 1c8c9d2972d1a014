import * as z from "zod";
import { PARTY_STATUSES } from "./party-lists.ts";
import { Profile } from "./profiles.ts";
import { SessionView } from "./sessions.ts";

const Time = z.iso.datetime();
const Stamp = Time.nullable();

/** What an erasure says it did. */
export const Receipt = z.object({
  erased_at: Time.describe("When the user was first erased, unless accepted again since"),
  stores: z
    .array(z.object({ store: z.string(), erased: z.int().min(0) }))
    .describe("What went from each store, by this request"),
  to_follow: z.array(z.string()).describe("What is done without being asked"),
  not_recalled: z
    .array(z.object({ what: z.string(), why: z.string() }))
    .describe("Where something may be left that cannot be taken back from here"),
});
export type Receipt = z.infer<typeof Receipt>;

/** An item of a history, each of its registers with the time of the event that set it; null for never. */
export const ExportedItem = z.object({
  content_id: z.string(),
  catalog_id: z.string().nullable(),
  catalog_at: Stamp,
  playback_time: z.number(),
  position_at: Stamp,
  position_event_id: z.string(),
  duration: z.number().nullable(),
  duration_at: Stamp,
  completed_at: Stamp,
  marked_watched: z.boolean(),
  marked_at: Stamp,
  dismissed: z.boolean(),
  dismissed_at: Stamp,
  forgotten_at: Stamp.describe("Up to when it is forgotten: of that nothing is kept but this"),
  created_at: Time,
  updated_at: Time,
});

/** One watching of a content; when it is forgotten nothing but its ids is kept. */
export const ExportedPlay = z.object({
  content_id: z.string(),
  play_id: z.string(),
  started_at: Stamp,
  completed_at: Stamp,
  reached: z.number().nullable().describe("The share of the duration that it reached, in twentieths"),
});

/** Everything that is kept of a user. */
export const Export = z.object({
  user_id: z.string(),
  exported_at: Time,
  up_to_date: z
    .boolean()
    .describe("false: events that were accepted just now wait to be stored, and are not in here yet"),
  profile: Profile.nullable(),
  watchlist: z.array(z.object({ content_id: z.string(), added_at: Time })),
  ratings: z.array(
    z.object({
      content_id: z.string(),
      rating: z.number(),
      review: z.string().nullable(),
      rated_at: Time,
      created_at: Time,
    }),
  ),
  history_settings: z.object({
    cleared_at: Stamp.describe("Up to when the whole history is forgotten"),
    pauses: z.array(z.object({ from: Time, to: Stamp.describe("null while it lasts") })),
  }),
  history: z.array(ExportedItem),
  plays: z.array(ExportedPlay),
  sessions: z
    .array(z.union([SessionView, z.object({ id: z.string(), ended: z.literal(true) })]))
    .describe("Playback sessions that go on, and those that ended within the day"),
  parties: z
    .array(
      z.object({
        party_id: z.string(),
        title: z.string(),
        content_id: z.string(),
        status: z.enum(PARTY_STATUSES),
        start_time: Time,
        part: z.array(z.enum(["host", "co-host", "member"])).describe("What the user was in it"),
        joined_at: Stamp,
        left_at: Stamp,
      }),
    )
    .describe("Watch parties that the user hosted, helped to host, or was in"),
  party_messages: z.array(
    z.object({
      party_id: z.string(),
      event_id: z.string(),
      at: Time,
      media_time: z.number(),
      name: z.string().nullable(),
      text: z.string(),
    }),
  ),
  party_likes: z.array(
    z.object({
      party_id: z.string(),
      event_id: z.string(),
      at: Time,
      media_time: z.number(),
      count: z.int(),
    }),
  ),
  party_logs: z
    .array(
      z.object({
        party_id: z.string(),
        event_id: z.string(),
        at: Time,
        media_time: z.number(),
        event: z.string(),
        data: z.record(z.string(), z.unknown()),
      }),
    )
    .describe("What else the user did in parties"),
  quarantine: z.array(z.unknown()).describe("What was sent, and could not be applied"),
});
export type Export = z.infer<typeof Export>;
