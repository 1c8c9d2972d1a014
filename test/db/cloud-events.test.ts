import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import {
  type CloudEvent,
  contentCompleted,
  historyCleared,
  historyUpdated,
  partyEnded,
  partyStarted,
  profileUpdated,
  sessionEnded,
  videoRated,
  watchlistUpdated,
} from "../../db/contract/cloud-events.ts";
import { EVENT_DATA, EVENT_TYPES } from "../../db/contract/event-data.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { HistoryItem } from "../../db/contract/views.ts";
import { eventsText } from "../../edge/openapi/events.ts";
import { partyOf } from "../support/parties.ts";
import { sessionOf } from "../support/sessions.ts";

const AT = Date.UTC(2026, 0, 31, 20, 15);
const time = new Date(AT).toISOString();
const [user_id, content_id] = ["alice" as UserId, "movie-42" as ContentId];
const once = { id: "0b0f6b1e", at: AT };

const item: HistoryItem = {
  ...{ content_id, catalog_id: null, playback_time: 1_830.5, duration: 5_400 },
  ...{ resume_position_seconds: 1_830.5, completed: false, last_watched_at: time },
};
const party = {
  ...{ ...partyOf("p-1", { status: "ONGOING" }), content_id, host_id: user_id },
  ...{ start_time: AT - 5_000, started_at: AT },
};

/** One of everything that is ever built. */
const built: Record<string, CloudEvent> = {
  "an item": historyUpdated({ user_id, content_id, rev: 7, item, at: AT }, AT),
  "a deleted item": historyUpdated({ user_id, content_id, rev: 8, item: null, at: 0 }, AT),
  "a cleared history": historyCleared(user_id, AT),
  "a completion": await contentCompleted({
    ...{ user_id, content_id, play_id: "/2026-01-31/tv" },
    ...{ started_at: AT - 5_000, completed_at: AT },
  }),
  "an ended session": sessionEnded(sessionOf("s-1", { duration_seconds: null }), AT, "timeout"),
  "an addition": watchlistUpdated({ user_id, content_id, action: "added" }, once),
  "a rating": videoRated({ user_id, content_id, rating: 9, review: "Again!" }, once),
  "a rating that is gone": videoRated({ user_id, content_id, rating: null, review: null }, once),
  "a profile": profileUpdated({ user_id, name: "Alice", avatar: null, preferences: { dark: true } }, once),
  "a party": partyStarted(party),
  "the end of a party": partyEnded(
    { ...party, status: "FINISHED", ended_at: AT },
    { reason: "host", peak_viewers: 12 },
  ),
};

const published = JSON.parse(readFileSync(new URL("../../edge/public/events.json", import.meta.url), "utf8"));
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A validator that is not ours. */
function validator() {
  const ajv = new Ajv2020({ formats: { "date-time": rfc3339 }, strict: false });
  return ajv.compile(published);
}

test("the published schemas are what the contract says", () => {
  expect(JSON.stringify(published)).toBe(JSON.stringify(JSON.parse(eventsText())));
});

test("every type is published, and built", () => {
  expect(Object.keys(published.$defs)).toEqual(EVENT_TYPES);
  expect(new Set(Object.values(built).map(({ type }) => type))).toEqual(new Set(EVENT_TYPES));
});

describe.each(Object.entries(built))("%s", (_, event) => {
  test("is what the schemas say, ours and the published ones", () => {
    const validate = validator();
    expect(validate(JSON.parse(JSON.stringify(event))) || validate.errors).toBe(true);
    const { data, type, dataschema } = event;
    expect(EVENT_DATA[type].parse(data)).toEqual(data);
    expect(published.$defs[type].$id).toBe(dataschema);
  });

  test("is a CloudEvent 1.0", () => {
    const { data, ...attributes } = event;
    for (const [name, value] of Object.entries(attributes)) {
      expect(name).toMatch(/^[a-z0-9]{1,20}$/);
      expect(value).toMatch(/^.+$/);
    }
    expect(attributes.specversion).toBe("1.0");
    expect(attributes.time).toMatch(rfc3339);
    expect(URL.canParse(attributes.dataschema)).toBe(true);
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
  });

  test("with another type, or without its data, it is refused by the published schema", () => {
    const validate = validator();
    const other = event.type === "ProfileUpdated" ? "VideoRated" : "ProfileUpdated";
    expect(validate({ ...event, type: other })).toBe(false);
    expect(validate({ ...event, data: {} })).toBe(false);
    expect(validate({ ...event, data: undefined })).toBe(false);
    expect(validate({ ...event, time: "yesterday" })).toBe(false);
  });
});

test("of one version of an item there is one id; another version, user, content or time has another", () => {
  const change = { user_id, content_id, rev: 7, item, at: AT };
  const idOf = (its: Partial<typeof change>, now = AT) => historyUpdated({ ...change, ...its }, now).id;
  expect(idOf({})).toBe("alice/movie-42/7/1769890500000");
  expect(idOf({}, AT + 1)).toBe(idOf({}));
  const others = [
    idOf({ rev: 8 }),
    idOf({ at: AT + 1 }),
    idOf({ user_id: "Alice" as UserId }),
    idOf({ content_id: "movie" as ContentId }),
    historyCleared(user_id, AT).id,
  ];
  expect(new Set([idOf({}), ...others]).size).toBe(6);
});

test("what nobody knows any more when it happened has the time at which it is told", () => {
  const change = { user_id, content_id, rev: 8, item: null, at: 0 };
  expect(historyUpdated(change, AT).time).toBe(time);
  expect(historyUpdated(change, AT + 1).id).toBe(historyUpdated(change, AT).id);
});
