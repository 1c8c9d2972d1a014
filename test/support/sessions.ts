import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import { type Entry, Payload } from "../../db/contract/events.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Session } from "../../db/contract/sessions.ts";
import { busStream, eventStream } from "../../db/redis/keys.ts";

/** A live session that has reported where it is, once. */
export function sessionOf(id: string, its: Partial<Session> = {}): Session {
  return {
    id,
    ...{ user_id: "alice" as UserId, content_id: "movie" as ContentId, device_id: "tv" },
    ...{ position_seconds: 600, duration_seconds: 3_600, playback_state: "playing", quality: null },
    ...{ started_at: Date.UTC(2026, 0, 1), updated_at: Date.UTC(2026, 0, 1, 0, 10), reports: 1 },
    ...its,
  };
}

/** What sits in the event stream, each checked as the drain will. */
export async function appended(redis: Redis): Promise<Entry[]> {
  const entries = await redis.xrange(eventStream, "-", "+");
  return entries.flatMap(([, fields]) =>
    Payload.parse(JSON.parse(fields[fields.indexOf("entry") + 1] ?? "")),
  );
}

/** An event, whatever it tells. */
export type PublishedEvent = Omit<CloudEvent, "data"> & { data: Readonly<Record<string, unknown>> };

/** What is on the bus, oldest first; of one session, or of all. */
export async function published(redis: Redis, id?: string): Promise<PublishedEvent[]> {
  const entries = await redis.xrange(busStream, "-", "+");
  const events = entries.map(([, [first, user, second, json = "", ...more]]) => {
    const event = JSON.parse(json) as PublishedEvent;
    expect([first, second, user, more]).toEqual(["user", "event", event.subject, []]);
    return event;
  });
  return id === undefined ? events : events.filter((event) => event.id === id);
}

/** The ends of sessions that are on the bus, oldest first. */
export async function publishedEnds(redis: Redis): Promise<PublishedEvent[]> {
  return (await published(redis)).filter(({ type }) => type === "SessionEnded");
}
