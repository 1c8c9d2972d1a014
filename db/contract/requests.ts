import * as z from "zod";
import type { EventResult } from "./events.ts";
import { ContentId, PlainId, UserId } from "./ids.ts";
import { Refusal } from "./refusals.ts";

/** What a path names. Checked as an object, so that a fault says which part of the path is wrong. */
export const UserPath = z.object({ user_id: UserId });
export const ItemPath = z.object({ user_id: UserId, content_id: ContentId });

/** A body may be this large: 500 events of the longest ids fit. */
export const MAX_BODY_BYTES = 1_048_576;

/** @throws Refusal `unsupported_media_type` */
export function mustBeJson(contentType: string | null | undefined): void {
  if (/^application\/json *(;|$)/i.test(contentType ?? "")) return;
  throw new Refusal("unsupported_media_type", "send Content-Type: application/json");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws Refusal `malformed_json` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new Refusal("malformed_json", "the body is not JSON", { cause });
  }
}

/** What the edge knows of a request before anybody else; ingest goes by it, so that both make the same events. */
export type Stamp = { received_at: number; arrival_id: string };

const RECEIVED_AT = "playhead-received-at";
const ARRIVAL_ID = "playhead-arrival-id";
/** The edge's clock may be ahead of ours by this much. */
const AHEAD_MS = 30_000;
/** A stamp is seconds old; one that is older than this is no stamp, and would pass by the age limit of events. */
const BEHIND_MS = 86_400_000;

/** Event ids are made of it and a number, and may have 128 characters themselves. */
const ArrivalId = PlainId.max(100);
/** No forwarded request lacks its stamp, and no client sends one: absence must cost nothing. */
const ReceivedAt = /^\d{1,16}$/;

/** The stamp as headers of a forwarded request. */
export function stampHeaders({ received_at, arrival_id }: Stamp): Record<string, string> {
  return { [RECEIVED_AT]: String(received_at), [ARRIVAL_ID]: arrival_id };
}

/** The stamp of a forwarded request; what is missing or makes no sense is minted. */
export function readStamp(
  header: (name: string) => string | null | undefined,
  { now, newId }: { now: number; newId: () => string },
): Stamp {
  const given = header(RECEIVED_AT);
  const at = given && ReceivedAt.test(given) ? Number(given) : null;
  const credible = at !== null && at <= now + AHEAD_MS && at >= now - BEHIND_MS;
  const id = header(ARRIVAL_ID);
  return {
    received_at: credible ? at : now,
    arrival_id: id && ArrivalId.safeParse(id).success ? id : newId(),
  };
}

/** The answer to events that are durable: `results` for a batch, none for a single event. */
export function acceptedAnswer(results: EventResult[] | null): AcceptedAnswer {
  return { status: "ok", message: "Watch history updated", ...(results ? { results } : {}) };
}

export type AcceptedAnswer = { status: "ok"; message: string; results?: EventResult[] };
