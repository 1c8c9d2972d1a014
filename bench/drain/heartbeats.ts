import { randomUUID } from "node:crypto";
import { type Entry, receive } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { randomFrom } from "../random.ts";

/** One heartbeat of one viewer, before it is an entry: what both sides of a comparison are made of. */
export type Beat = {
  user_id: string;
  content_id: string;
  catalog_id: string;
  event_id: string;
  playback_time: number;
  duration: number;
  occurred_at: number;
};

const DURATION = 5_400;

/** One heartbeat for each of `users` x `items` rows, in the order in which strangers' heartbeats come: any. */
export function distinctBeats(
  users: number,
  items: number,
  occurred_at: number,
  kind: "film" | "match" = "film",
): Beat[] {
  const beats: Beat[] = [];
  for (let user = 0; user < users; user++) {
    for (let item = 0; item < items; item++) {
      const playback_time = 60 + (occurred_at % 1_000);
      beats.push({ ...idsOf(user, item, kind), playback_time, duration: DURATION, occurred_at });
    }
  }
  return shuffled(beats);
}

/**
 * A backlog as an outage leaves it: each viewer watches one thing and sends a heartbeat every 10 s, in the order
 * of time across viewers.
 */
export function mixedBeats(viewers: number, beatsEach: number, from: number): Beat[] {
  const order = shuffled(Array.from({ length: viewers }, (_, viewer) => viewer));
  return Array.from({ length: beatsEach }, (_, beat) =>
    order.map((viewer, phase) => ({
      ...idsOf(viewer, 0),
      playback_time: 60 + beat * 10,
      duration: DURATION,
      occurred_at: from + beat * 10_000 + Math.floor((phase / viewers) * 10_000),
    })),
  ).flat();
}

function idsOf(user: number, item: number, kind = "film") {
  return {
    user_id: `viewer-${user}`,
    content_id: `${kind}-${item}`,
    catalog_id: "catalogue-1",
    event_id: randomUUID(),
  };
}

/** The heartbeat as accept puts it into the stream: alone in its entry. */
export function entryOf({ user_id, ...body }: Beat): Entry {
  const arrival = {
    user_id: user_id as UserId,
    session_id: user_id,
    received_at: body.occurred_at + 40,
    arrival_id: randomUUID(),
    max_age_ms: Number.POSITIVE_INFINITY,
  };
  return receive(body, arrival).entry;
}

/** The same shuffle every time. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = randomFrom(20_260_101);
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
