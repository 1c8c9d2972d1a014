import * as z from "zod";
import { compareIds, PlainId, type UserId } from "./ids.ts";
import { limitParameter, parametersOf, type Query } from "./pages.ts";
import type { Party } from "./parties.ts";
import { checked, Refusal } from "./refusals.ts";

/** What is asked of parties: the edge needs no more than this. */

/** `SCHEDULED -> ONGOING -> FINISHED`, or `SCHEDULED -> CANCELLED`: only what has begun was held. */
export const PARTY_STATUSES = ["SCHEDULED", "ONGOING", "FINISHED", "CANCELLED"] as const;
export type PartyStatus = (typeof PARTY_STATUSES)[number];

/** What a path names. Checked as an object, so that a fault says which part of the path is wrong. */
export const PartyPath = z.object({ party_id: PlainId });

const cursor = z.string().max(400).nullable().default(null);
const invite = z.string().max(128).nullable().default(null);

/** Nothing else is taken: a misspelt parameter would widen what is asked for. */
export const PartiesQuery = z.strictObject({
  status: z.enum(PARTY_STATUSES).nullable().default(null),
  limit: limitParameter({ usual: 20, most: 100 }),
  cursor,
});
export const PartyQuery = z.strictObject({ invite });
export const PartyMessagesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,25})?$/, "seconds")
    .transform(Number)
    .nullable()
    .default(null),
  limit: limitParameter({ usual: 100, most: 500 }),
  cursor,
  invite,
});
export const PartyLogsQuery = z.strictObject({ limit: limitParameter({ usual: 100, most: 500 }), cursor });

/** A place in a list of parties, or of what happened in one: by these numbers, then by id, as bytes. */
export type Place<Numbers extends readonly number[]> = readonly [...Numbers, id: string];
/** By the start of the party. */
export type PartyPlace = Place<[start_time: number]>;
/** By where the playback was, then by time. */
export type MessagePlace = Place<[media_time: number, at: number]>;
export type LogPlace = Place<[at: number]>;

export type PartiesRequest = { status: PartyStatus | null; limit: number; after: PartyPlace | null };
export type MessagesRequest = {
  /** Only what was said later in the content than this, in seconds. */
  from: number | null;
  limit: number;
  after: MessagePlace | null;
  invite: string | null;
};
export type LogsRequest = { limit: number; after: LogPlace | null };

/** @throws Refusal `invalid_input` */
export function partiesRequest(query: Query): PartiesRequest {
  const { status, limit, cursor } = checked(PartiesQuery, parametersOf(query));
  return { status, limit, after: placeIn<PartyPlace>(cursor, 1) };
}

/** The invite code of a query string; null for none. @throws Refusal `invalid_input` */
export function inviteIn(query: Query): string | null {
  return checked(PartyQuery, parametersOf(query)).invite;
}

/** @throws Refusal `invalid_input` */
export function messagesRequest(query: Query): MessagesRequest {
  const { after, limit, cursor, invite } = checked(PartyMessagesQuery, parametersOf(query));
  return { from: after, limit, after: placeIn<MessagePlace>(cursor, 2), invite };
}

/** @throws Refusal `invalid_input` */
export function logsRequest(query: Query): LogsRequest {
  const { limit, cursor } = checked(PartyLogsQuery, parametersOf(query));
  return { limit, after: placeIn<LogPlace>(cursor, 1) };
}

export function cursorOf(place: readonly (number | string)[]): string {
  return place.join("_");
}

/** Negative when `a` comes first. */
export function comparePlaces(a: readonly [...number[], string], b: readonly [...number[], string]): number {
  for (const [at, its] of a.entries()) {
    const other = b[at];
    if (its === other) continue;
    return typeof its === "number" ? its - Number(other) : compareIds(its, String(other));
  }
  return 0;
}

/** Where a party stands: what is to come begins with what comes first, all else with what was last. */
export function placeOfParty({ start_time, party_id }: Party): PartyPlace {
  return [start_time, party_id];
}

/** Something that was said. Its time is in epoch milliseconds, where the playback was in seconds. */
export type PartyMessage = {
  event_id: string;
  at: number;
  media_time: number;
  user_id: UserId | null;
  name: string | null;
  text: string;
};

export function placeOfMessage({ media_time, at, event_id }: PartyMessage): MessagePlace {
  return [media_time, at, event_id];
}

/** Something that happened. */
export type PartyLog = {
  event_id: string;
  at: number;
  media_time: number;
  user_id: UserId | null;
  event: string;
  data: Readonly<Record<string, unknown>>;
};

export function placeOfLog({ at, event_id }: PartyLog): LogPlace {
  return [at, event_id];
}

/** By how many numbers they go. */
const PLACES = {
  1: /^(\d{1,16})_([!-~]{1,300})$/,
  2: /^(\d{1,10}(?:\.\d{1,25})?(?:e-\d{1,3})?)_(\d{1,16})_([!-~]{1,300})$/,
} as const;

function placeIn<Its>(text: string | null, numbers: 1 | 2): Its | null {
  if (text === null) return null;
  const found = PLACES[numbers].exec(text);
  if (!found) {
    const errors = [{ path: "cursor", message: "not one of ours" }];
    throw new Refusal("invalid_input", "cursor: not one of ours", { errors });
  }
  return [...found.slice(1, -1).map(Number), found.at(-1)] as Its;
}
