import * as z from "zod";
import { type Arrival, ageFault, correctedTime, mintedId, QueryTime, Time } from "./arrival.ts";
import { entryOf, MAX_BATCH, type Received, receiveEach, type WatchEvent } from "./events.ts";
import { ContentId, PlainId, type UserId } from "./ids.ts";
import { checked, Refusal } from "./refusals.ts";
import { ItemPath, parseJson, UserPath } from "./requests.ts";

/**
 * `?before=` of a clear, and nothing else: a misspelt `before` must not clear everything.
 */
export const ClearQuery = z.strictObject({ before: QueryTime.nullable().default(null) });

/** When a mark or a dismissal happened, by the device's clock; now, when nothing is said. */
export const MomentQuery = z.strictObject({
  occurred_at: QueryTime.nullable().default(null),
  sent_at: QueryTime.nullable().default(null),
});

/** One of many marks. */
export const MarkInput = z.strictObject({
  content_id: ContentId,
  watched: z.boolean().default(true),
  occurred_at: Time.nullish(),
  event_id: PlainId.nullish(),
});

/** Many marks as a client may send them; each is checked alone, so that a bad one never sinks the others. */
export const MarksInput = z.strictObject({
  sent_at: Time.nullish(),
  marks: z.array(z.unknown()).min(1).max(MAX_BATCH),
});

/** Whether the history is to be paused. */
export const SettingsInput = z.strictObject({
  paused: z.boolean(),
  occurred_at: Time.nullish(),
  sent_at: Time.nullish(),
});

/** What a request says, but for its body. */
type Asked = { params: Record<string, string>; query: Record<string, string> };

/**
 * What a viewer does to the history other than by watching: it becomes an event with a time, as heartbeats do. Pure,
 * as `receive` is: the same request gives the same entry at the edge and at ingest.
 */
export type Action = {
  /** Whether there is a body, which must be JSON. */
  json: boolean;
  /** @throws Refusal `invalid_input` for a bad path or query. */
  of: (asked: Asked) => {
    user_id: UserId;
    /** @throws Refusal `malformed_json`, or `invalid_input` for a bad body, or what happened too long ago. */
    receive: (arrival: Arrival, body: Uint8Array) => Received;
  };
};

/** Forgets one item up to now: a heartbeat that is newer starts it clean. */
export const forgetItem: Action = {
  json: false,
  of({ params }) {
    const { user_id, content_id } = checked(ItemPath, params);
    return {
      user_id,
      receive: (arrival) => one(arrival, { type: "forget", ...instant(arrival), content_id }),
    };
  },
};

/** Forgets the whole history up to now, or up to the time of `before`. */
export const clearHistory: Action = {
  json: false,
  of({ params, query }) {
    const { user_id } = checked(UserPath, params);
    const { before } = checked(ClearQuery, query);
    // However long ago: nothing is too old to be forgotten.
    return {
      user_id,
      receive: (arrival) => ({
        entry: entryOf(arrival, [{ type: "clear", ...instant(arrival, { occurred_at: before }) }]),
        results: null,
      }),
    };
  },
};

/** Marks one item as watched, or as not watched. */
export function markItem(watched: boolean): Action {
  return ofItem((content_id) => ({ type: "mark", content_id, watched }));
}

/** Hides an item from what to continue, or shows it there again. */
export function dismissItem(dismissed: boolean): Action {
  return ofItem((content_id) => ({ type: "dismissal", content_id, dismissed }));
}

/** Marks many items, each as it says. */
export const markItems: Action = {
  json: true,
  of: ({ params }) => ({ ...checked(UserPath, params), receive: receiveMarks }),
};

/** Pauses the history, or goes on with it. */
export const pauseHistory: Action = {
  json: true,
  of: ({ params }) => ({
    ...checked(UserPath, params),
    receive(arrival, body) {
      const { paused, ...moment } = checked(SettingsInput, parseJson(body));
      return one(arrival, { type: "pause", ...instant(arrival, moment), paused });
    },
  }),
};

function ofItem(what: (content_id: ContentId) => Said): Action {
  return {
    json: false,
    of({ params, query }) {
      const { user_id, content_id } = checked(ItemPath, params);
      const moment = checked(MomentQuery, query);
      return {
        user_id,
        receive: (arrival) => one(arrival, { ...what(content_id), ...instant(arrival, moment) }),
      };
    },
  };
}

function receiveMarks(arrival: Arrival, body: Uint8Array): Received {
  const { sent_at, marks } = checked(MarksInput, parseJson(body));
  return receiveEach(marks, "marks", arrival, (raw, index) => {
    const { success, data, error } = MarkInput.safeParse(raw);
    if (!success) return error.issues;
    const { content_id, watched, occurred_at, event_id } = data;
    const its = instant(arrival, { occurred_at, sent_at }, index);
    return { type: "mark", ...its, event_id: event_id ?? its.event_id, content_id, watched };
  });
}

/** Nothing happens after it arrives. */
function instant(arrival: Arrival, { occurred_at, sent_at }: Moment = {}, index = 0) {
  return {
    event_id: mintedId(arrival, index),
    occurred_at: correctedTime(occurred_at, sent_at, arrival.received_at),
  };
}

function one(arrival: Arrival, event: WatchEvent): Received {
  const fault = ageFault(event, arrival);
  if (fault) throw new Refusal("invalid_input", `${fault.path}: ${fault.message}`, { errors: [fault] });
  return { entry: entryOf(arrival, [event]), results: null };
}

type Moment = { occurred_at?: number | null | undefined; sent_at?: number | null | undefined };
type Said =
  | { type: "mark"; content_id: ContentId; watched: boolean }
  | { type: "dismissal"; content_id: ContentId; dismissed: boolean };
