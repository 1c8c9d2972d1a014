import * as z from "zod";
import type { UserId } from "./ids.ts";
import type { Fault } from "./refusals.ts";

/** A device clock further off than this is corrected; less is latency and is left alone. */
const SKEW_TOLERANCE_MS = 30_000;

/** ISO 8601 with an offset, or epoch milliseconds; epoch milliseconds inside. */
export const Time = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], {
    error: "an ISO 8601 time with its offset, or epoch milliseconds",
  })
  .pipe(z.number().min(0).max(8.64e15).transform(Math.floor));

/** A time in a query string, which is text: digits are epoch milliseconds and all else is ISO 8601. */
export const QueryTime = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : text))
  .pipe(Time);

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

/**
 * When it happened, by our clock. `sentAt` is the device's clock at the moment of this attempt: what lies
 * between it and the arrival, beyond latency, is how wrong that clock is. Nothing happens after it arrives.
 */
export function correctedTime(
  occurredAt: number | null | undefined,
  sentAt: number | null | undefined,
  receivedAt: number,
): number {
  if (occurredAt == null) return receivedAt;
  const skew = sentAt == null ? 0 : receivedAt - sentAt;
  const shifted = Math.abs(skew) > SKEW_TOLERANCE_MS ? occurredAt + skew : occurredAt;
  return Math.min(shifted, receivedAt);
}

/** What is wrong with a time that lies too far back, at `at` in the request; null when nothing is. */
export function ageFault(
  { occurred_at }: { occurred_at: number },
  arrival: Arrival,
  at: readonly PropertyKey[] = [],
): Fault | null {
  if (arrival.received_at - occurred_at <= arrival.max_age_ms && occurred_at > 0) return null;
  const days = Math.floor(arrival.max_age_ms / 86_400_000);
  return { path: [...at, "occurred_at"].map(String).join("."), message: `older than ${days} days` };
}

/** Padded, so that of events without a time of their own the last of a batch has the highest id, and counts. */
export function mintedId(arrival: Pick<Arrival, "arrival_id">, index: number): string {
  return `${arrival.arrival_id}.${String(index).padStart(3, "0")}`;
}
