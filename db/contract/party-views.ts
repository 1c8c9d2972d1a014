import * as z from "zod";
import { ContentId, PlainId, UserId } from "./ids.ts";
import { type Party, VISIBILITIES } from "./parties.ts";
import type { PartyLog, PartyMessage } from "./party-lists.ts";
import { PARTY_STATUSES } from "./party-lists.ts";

/** Parties as clients get them. The edge only passes them on, so it does not carry this. */

/** A party as a client gets it. */
export const PartyView = z.object({
  party_id: PlainId,
  title: z.string(),
  content_id: ContentId,
  host_id: UserId.nullable().describe("null when the host was erased"),
  co_host_ids: z.array(UserId),
  visibility: z.enum(VISIBILITIES),
  status: z.enum(PARTY_STATUSES),
  start_time: z.iso.datetime(),
  end_time: z.iso.datetime().nullable().describe("null: a day after its start, unless a host ends it"),
  started_at: z.iso.datetime().nullable().describe("When it really opened"),
  ended_at: z.iso.datetime().nullable().describe("When it was over, or was called off"),
  capacity: z.int().describe("Members at most"),
  invite_code: z.string().optional().describe("For its host and co-hosts only"),
  peak_viewers: z.int().nullable().describe("Connections at one time at most; null until it is all counted"),
  average_viewers: z.number().nullable().describe("Connections on the average of its time; null as well"),
});
export type PartyView = z.infer<typeof PartyView>;

export function partyView(
  party: Party,
  { capacity, leads }: { capacity: number; leads: boolean },
): PartyView {
  const { co_host_ids, invite_code, flushed_at: _, ...its } = party;
  return {
    ...its,
    co_host_ids: [...co_host_ids],
    start_time: isoTime(its.start_time),
    end_time: isoTimeOf(its.end_time),
    started_at: isoTimeOf(its.started_at),
    ended_at: isoTimeOf(its.ended_at),
    capacity,
    ...(leads ? { invite_code } : {}),
  };
}

/** Something that was said, as a client gets it. */
export const PartyMessageView = z.object({
  id: z
    .string()
    .describe("As its sender gave it: with the sender it names the message, here and in the room"),
  user_id: PlainId.nullable().describe("null when the user was erased"),
  name: z.string().nullable(),
  text: z.string(),
  at: z.iso.datetime(),
  media_time: z.number().describe("Where the playback was, in seconds"),
});

export function messageView({ event_id, at, ...its }: PartyMessage): z.infer<typeof PartyMessageView> {
  // `chat:`, the user, a colon, and the id that the client gave it.
  const prefix = `chat:${its.user_id}:`;
  const id = event_id.startsWith(prefix) ? event_id.slice(prefix.length) : event_id;
  return { id, ...its, at: new Date(at).toISOString() };
}

/** What happened in a party, as a client gets it. */
export const PartyLogView = z.object({
  id: z.string(),
  event: z.string().describe("Such as `joined`, `left`, `play`, `pause`, `seek`, `viewers`"),
  user_id: PlainId.nullable().describe(
    "Who did it; null for nobody in particular, or when the user was erased",
  ),
  at: z.iso.datetime(),
  media_time: z.number().describe("Where the playback was, in seconds"),
  data: z.record(z.string(), z.unknown()),
});

/** A party as its hosts look back on it. */
export const PartyLogsView = z.object({
  party_id: PlainId,
  likes: z.int(),
  peak_viewers: z.int().describe("Connections at one time, at most"),
  average_viewers: z.number().describe("Connections on the average of the time that it was on"),
  logs: z.array(PartyLogView).describe("One page, oldest first"),
});
export type PartyLogsView = z.infer<typeof PartyLogsView>;

export function logView({ event_id, at, ...its }: PartyLog): z.infer<typeof PartyLogView> {
  return { id: event_id, ...its, at: new Date(at).toISOString() };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function isoTimeOf(at: number): string | null {
  return at === 0 ? null : isoTime(at);
}
