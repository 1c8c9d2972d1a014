import type { Redis } from "ioredis";
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

/** What is on the bus, oldest first; of one session, or of all. */
export async function published(redis: Redis, id?: string): Promise<CloudEvent[]> {
  const entries = await redis.xrange(busStream, "-", "+");
  const events = entries.map(([, [field, json = ""]]) => {
    if (field !== "event") throw new Error(`a field ${field} on the bus`);
    return JSON.parse(json) as CloudEvent;
  });
  return id === undefined ? events : events.filter((event) => event.id === id);
}
