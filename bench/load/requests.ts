import { randomUUID } from "node:crypto";
import type { Request } from "autocannon";
import { tokenFor } from "../servers/token.ts";

/** Whose heartbeats the load is made of. */
export const VIEWERS = 1_000;
/** As many different events as a connection sends within a round, more or less: hardly one comes twice. */
const EVENTS_A_CONNECTION = 100;
const REQUESTS_A_CONNECTION = 8;
/** A batch goes on to the next title after so many. */
const EVENTS_A_TITLE = 10;

/**
 * What each connection sends, over and over: heartbeats as players send them, request by request of another
 * viewer, all of them newer than anything that was sent before.
 */
export async function heartbeatRequests(options: {
  path: string | null;
  connections: number;
  eventsEach: number;
}): Promise<Request[][]> {
  const { path, connections, eventsEach } = options;
  const tokens = await viewerTokens();
  const requests = Math.max(REQUESTS_A_CONNECTION, Math.ceil(EVENTS_A_CONNECTION / eventsEach));
  const from = Date.now() - 1_000;
  return Array.from({ length: connections }, (_, connection) =>
    Array.from({ length: requests }, (_, request) => {
      const viewer = (request * connections + connection) % VIEWERS;
      const own = heartbeatRequest(viewer, tokens, { eventsEach, from: from + request * eventsEach });
      return path === null ? own : { ...own, path };
    }),
  );
}

/** A viewer's one heartbeat, bare, or a batch of more, a millisecond apart. */
export function heartbeatRequest(
  viewer: number,
  tokens: readonly string[],
  { eventsEach, from }: { eventsEach: number; from: number },
): Request {
  const events = Array.from({ length: eventsEach }, (_, event) =>
    heartbeat(viewer, Math.floor(event / EVENTS_A_TITLE), from + event),
  );
  return {
    method: "POST",
    path: `/users/viewer-${viewer}/playlists/watchhistory`,
    headers: { "content-type": "application/json", authorization: `Bearer ${tokens[viewer]}` },
    body: JSON.stringify(eventsEach === 1 ? events[0] : { events }),
  };
}

function heartbeat(viewer: number, title: number, occurred_at: number) {
  return {
    content_id: `film-${(viewer + title) % 20}`,
    catalog_id: "catalogue-1",
    playback_time: 60 + (occurred_at % 4_000),
    duration: 5_400,
    event_id: randomUUID(),
    occurred_at,
    device_id: `device-${viewer}`,
    action: "progress",
  };
}

let signed: Promise<string[]> | undefined;

export function viewerTokens(): Promise<string[]> {
  signed ??= Promise.all(Array.from({ length: VIEWERS }, (_, viewer) => tokenFor(`viewer-${viewer}`)));
  return signed;
}
