import * as z from "zod";
import { isFinished } from "../resume.ts";
import { type Arrival, ageFault, correctedTime, mintedId, Time } from "./arrival.ts";
import { ContentId, PlainId } from "./ids.ts";
import { checked, type Fault, faultsOf, Refusal } from "./refusals.ts";

export const MAX_BATCH = 500;
/** Three years: more is a unit mistake, not a position. */
const MAX_SECONDS = 1e8;

export const Seconds = z.number().min(0).max(MAX_SECONDS);

/** One heartbeat as a client may send it. */
export const HeartbeatInput = z.object({
  content_id: ContentId,
  catalog_id: PlainId.nullish(),
  playback_time: Seconds,
  duration: Seconds.nullish(),
  occurred_at: Time.nullish(),
  event_id: PlainId.nullish(),
  play_id: PlainId.nullish(),
  device_id: PlainId.nullish(),
  action: z.enum(["progress", "play", "pause", "seek", "stop", "finish"]).nullish(),
  sent_at: Time.nullish(),
});

/** A batch as a client may send it; each event is checked alone, so that a bad one never sinks the others. */
export const BatchInput = z.object({
  sent_at: Time.nullish(),
  events: z.array(z.unknown()).min(1).max(MAX_BATCH),
});

const Text = z.string();
const StoredUserId = Text.brand<"UserId">();
const StoredContentId = Text.brand<"ContentId">();

/**
 * What an event says happened. Times are epoch milliseconds, already corrected. Values were checked when it was
 * accepted; in the stream only the shape is looked at again.
 */
export const WatchEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("heartbeat"),
    event_id: Text,
    occurred_at: z.number(),
    content_id: StoredContentId,
    catalog_id: Text.nullable(),
    playback_time: z.number(),
    /** null: unknown. */
    duration: z.number().nullable(),
    /** The player said so, or the position is past 95 % of the duration that it sent along. */
    completes: z.boolean(),
    play_id: Text.nullable(),
    device_id: Text.nullable(),
  }),
  /** Forget one item: everything up to and including this instant. */
  z.object({
    type: z.literal("forget"),
    event_id: Text,
    occurred_at: z.number(),
    content_id: StoredContentId,
  }),
  /** Forget the whole history up to and including this instant. */
  z.object({ type: z.literal("clear"), event_id: Text, occurred_at: z.number() }),
  /** The viewer says that it is watched, or that it is not. */
  z.object({
    type: z.literal("mark"),
    event_id: Text,
    occurred_at: z.number(),
    content_id: StoredContentId,
    watched: z.boolean(),
  }),
  /** Hide an item from what to continue, until newer activity; or show it again. */
  z.object({
    type: z.literal("dismissal"),
    event_id: Text,
    occurred_at: z.number(),
    content_id: StoredContentId,
    dismissed: z.boolean(),
  }),
  /** From this instant on nothing is kept, or everything is again. */
  z.object({ type: z.literal("pause"), event_id: Text, occurred_at: z.number(), paused: z.boolean() }),
]);

/** One or more events of one user, as they arrived. */
export const Entry = z.object({
  v: z.literal(1),
  user_id: StoredUserId,
  session_id: Text.nullable(),
  received_at: z.number(),
  /** Of the request that it came with, if somebody records that; it is not part of what the entry says. */
  traceparent: Text.optional(),
  events: z.array(WatchEvent).min(1),
});

/** What one entry of the stream holds: what was accepted together, often of many users. */
export const Payload = z.array(Entry).min(1);

export type WatchEvent = z.infer<typeof WatchEvent>;
export type Heartbeat = Extract<WatchEvent, { type: "heartbeat" }>;
export type Entry = z.infer<typeof Entry>;

export type EventResult = {
  event_id: string;
  status: "accepted" | "rejected";
  errors?: Fault[];
};

/** The entry for the stream, and what became of each event of a batch; null for a single event. */
export type Received = { entry: Entry; results: EventResult[] | null };

/**
 * A request body as an entry for the stream. Pure: the same body and arrival give the same entry, byte for
 * byte, wherever it runs, so that an event that went both ways (ingest and the edge's fallback) is one event.
 *
 * @throws Refusal `invalid_input` for a bad single event, a bad batch, or a batch without a good event.
 */
export function receive(body: unknown, arrival: Arrival): Received {
  if (!isRecord(body)) throw new Refusal("invalid_input", "an event or {events: [...]} is expected");
  if (!("events" in body)) {
    const input = checked(HeartbeatInput, body);
    const event = heartbeat(input, arrival, input.sent_at, 0);
    const fault = ageFault(event, arrival);
    if (fault) throw new Refusal("invalid_input", `${fault.path}: ${fault.message}`, { errors: [fault] });
    return { entry: entryOf(arrival, [event]), results: null };
  }

  const batch = checked(BatchInput, body);
  return receiveEach(batch.events, "events", arrival, (raw, index) => {
    const parsed = HeartbeatInput.safeParse(raw);
    return parsed.success ? heartbeat(parsed.data, arrival, batch.sent_at, index) : parsed.error.issues;
  });
}

/**
 * Judges each of many events alone, so that a bad one never sinks the others.
 *
 * @param name of the member that holds them.
 * @param examine makes an event, or says what is wrong.
 * @throws Refusal `invalid_input` when none of them is good.
 */
export function receiveEach(
  raws: readonly unknown[],
  name: string,
  arrival: Arrival,
  examine: (raw: unknown, index: number) => WatchEvent | Parameters<typeof faultsOf>[0],
): Received {
  const events: WatchEvent[] = [];
  const results = raws.map((raw, index): EventResult => {
    const examined = examine(raw, index);
    if (!("type" in examined)) {
      return rejected(mintedId(arrival, index), faultsOf(examined, [name, index]));
    }
    const fault = ageFault(examined, arrival, [name, index]);
    if (fault) return rejected(examined.event_id, [fault]);
    events.push(examined);
    return { event_id: examined.event_id, status: "accepted" };
  });
  if (events.length === 0) {
    const errors = results.flatMap((result) => result.errors ?? []);
    throw new Refusal("invalid_input", "no event of the batch is valid", { errors, members: { results } });
  }
  return { entry: entryOf(arrival, events), results };
}

/** Events of one request as an entry for the stream. */
export function entryOf(
  { user_id, session_id, received_at }: Pick<Arrival, "user_id" | "session_id" | "received_at">,
  events: WatchEvent[],
): Entry {
  return { v: 1, user_id, session_id, received_at, events };
}

function heartbeat(
  input: z.infer<typeof HeartbeatInput>,
  arrival: Arrival,
  sentAt: number | null | undefined,
  index: number,
): Heartbeat {
  const { playback_time } = input;
  const duration = input.duration || null;
  return {
    type: "heartbeat",
    event_id: input.event_id ?? mintedId(arrival, index),
    occurred_at: correctedTime(input.occurred_at, sentAt, arrival.received_at),
    content_id: input.content_id,
    catalog_id: input.catalog_id ?? null,
    playback_time,
    duration,
    completes: completes({ playback_time, duration }, input.action === "finish"),
    play_id: input.play_id ?? playOf(arrival),
    device_id: input.device_id ?? null,
  };
}

/** A path that names a playback session names the play, too; one that names the user does not. */
function playOf({ session_id, user_id }: Arrival): string | null {
  return session_id === user_id ? null : session_id;
}

/** An event completes by what it says itself; what the catalogue says may change. @param ended the player said so. */
export function completes(its: Pick<Heartbeat, "playback_time" | "duration">, ended: boolean): boolean {
  return ended || isFinished({ ...its, credits_at: null, live: false });
}

function rejected(event_id: string, errors: Fault[]): EventResult {
  return { event_id, status: "rejected", errors };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
