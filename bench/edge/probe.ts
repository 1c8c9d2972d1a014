import { randomUUID } from "node:crypto";
import { tokenFor } from "../servers/token.ts";

/** Between two questions, so that asking does not become the load. */
const PAUSE_MS = 2;
const GIVE_UP_MS = 10_000;

/**
 * One user who writes a heartbeat through the edge and asks the edge for that item until it is what was written,
 * again and again.
 *
 * @returns for each heartbeat, how long after its 202 the answer that shows it was there, in ms.
 */
export async function probe(edgeUrl: string, user: string, until: number): Promise<number[]> {
  const headers = { authorization: `Bearer ${await tokenFor(user)}`, "content-type": "application/json" };
  const content_id = `probe-${user}`;
  const delays: number[] = [];

  async function write(playback_time: number): Promise<void> {
    const body = JSON.stringify({ content_id, playback_time, duration: 5_400, event_id: randomUUID() });
    const answer = await fetch(`${edgeUrl}/profiles/${user}/history`, { method: "POST", headers, body });
    await answer.text();
    if (answer.status !== 202) throw new Error(`a probe's write: ${answer.status}`);
  }
  async function seen(): Promise<number | null> {
    const answer = await fetch(`${edgeUrl}/users/${user}/watchhistory/${content_id}`, { headers });
    const item = (await answer.json()) as { playback_time?: number };
    return item.playback_time ?? null;
  }

  for (let playback_time = 1; performance.now() < until; playback_time++) {
    await write(playback_time);
    const accepted = performance.now();
    while ((await seen()) !== playback_time) {
      if (performance.now() - accepted > GIVE_UP_MS) throw new Error("a probe never saw its heartbeat");
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    delays.push(performance.now() - accepted);
  }
  return delays;
}
