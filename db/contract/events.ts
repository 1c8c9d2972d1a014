import * as z from "zod";
import { isFinished } from "../resume.ts";
import { ContentId, PlainId, type UserId } from "./ids.ts";
import { checked, type Fault, faultsOf, Refusal } from "./refusals.ts";

/** A device clock further off than this is corrected; less is latency and is left alone. */
const SKEW_TOLERANCE_MS = 30_000;
export const MAX_BATCH = 500;
/** Three years: more is a unit mistake, not a position. */
const MAX_SECONDS = 1e8;

const Seconds = z.number().min(0).max(MAX_SECONDS);
/** ISO 8601 with an offset, or epoch milliseconds; epoch milliseconds inside. */
export const Time = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], {
    error: "an ISO 8601 time with its offset, or epoch milliseconds",
  })
  .pipe(z.number().min(0).max(8.64e15).transform(Math.floor));

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
]);

/** One or more events of one user, as they arrived. */
export const Entry = z.object({
  v: z.literal(1),
  user_id: StoredUserId,
  session_id: Text.nullable(),
  received_at: z.number(),
  events: z.array(WatchEvent).min(1),
});

/** What one entry of the stream holds: what was accepted together, often of many users. */
export const Payload = z.array(Entry).min(1);

export type WatchEvent = z.infer<typeof WatchEvent>;
export type Heartbeat = Extract<WatchEvent, { type: "heartbeat" }>;
export type Entry = z.infer<typeof Entry>;

/** What is known about a request when it arrives, the same at the edge and at ingest. */
export type Arrival = {
  user_id: UserId;
  session_id: string | null;
  /** When the edge first saw the request. */
  received_at: number;
  /** Minted once a request; ids of events that brought none derive from it, so that a retry repeats them. */
  arrival_id: string;
  /** Events that happened longer ago are rejected. */
  max_age_ms: number;
};

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
  const events: WatchEvent[] = [];
  const results = batch.events.map((raw, index): EventResult => {
    const parsed = HeartbeatInput.safeParse(raw);
    if (!parsed.success) {
      return rejected(mintedId(arrival, index), faultsOf(parsed.error.issues, ["events", index]));
    }
    const event = heartbeat(parsed.data, arrival, batch.sent_at, index);
    const fault = ageFault(event, arrival, ["events", index]);
    if (fault) return rejected(event.event_id, [fault]);
    events.push(event);
    return { event_id: event.event_id, status: "accepted" };
  });
  if (events.length === 0) {
    const errors = results.flatMap((result) => result.errors ?? []);
    throw new Refusal("invalid_input", "no event of the batch is valid", { errors, members: { results } });
  }
  return { entry: entryOf(arrival, events), results };
}

/** A forget or a clear as an entry; a time in the future is the time of arrival. */
export function forgetting(
  arrival: Arrival,
  what: { content_id: ContentId } | { before: number | null },
): Entry {
  const event_id = mintedId(arrival, 0);
  if ("content_id" in what) {
    return entryOf(arrival, [
      { type: "forget", event_id, occurred_at: arrival.received_at, content_id: what.content_id },
    ]);
  }
  const occurred_at = Math.min(what.before ?? arrival.received_at, arrival.received_at);
  return entryOf(arrival, [{ type: "clear", event_id, occurred_at }]);
}

function entryOf({ user_id, session_id, received_at }: Arrival, events: WatchEvent[]): Entry {
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
    completes: input.action === "finish" || isFinished({ playback_time, duration, ...WHAT_PLAYERS_KNOW }),
    play_id: input.play_id ?? null,
    device_id: input.device_id ?? null,
  };
}

/** An event completes by what it says itself; what the catalogue says may change. */
const WHAT_PLAYERS_KNOW = { credits_at: null, live: false };

/**
 * When it happened, by our clock. `sent_at` is the device's clock at the moment of this attempt: what lies
 * between it and the arrival, beyond latency, is how wrong that clock is. Nothing happens after it arrives.
 */
function correctedTime(
  occurredAt: number | null | undefined,
  sentAt: number | null | undefined,
  receivedAt: number,
): number {
  if (occurredAt == null) return receivedAt;
  const skew = sentAt == null ? 0 : receivedAt - sentAt;
  const shifted = Math.abs(skew) > SKEW_TOLERANCE_MS ? occurredAt + skew : occurredAt;
  return Math.min(shifted, receivedAt);
}

function ageFault(event: Heartbeat, arrival: Arrival, at: readonly PropertyKey[] = []): Fault | null {
  if (arrival.received_at - event.occurred_at <= arrival.max_age_ms && event.occurred_at > 0) return null;
  const days = Math.floor(arrival.max_age_ms / 86_400_000);
  return { path: [...at, "occurred_at"].map(String).join("."), message: `older than ${days} days` };
}

/** Padded, so that of events without a time of their own the last of a batch has the highest id, and counts. */
function mintedId(arrival: Arrival, index: number): string {
  return `${arrival.arrival_id}.${String(index).padStart(3, "0")}`;
}

function rejected(event_id: string, errors: Fault[]): EventResult {
  return { event_id, status: "rejected", errors };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
