import { Agent } from "node:http";
import { ask } from "./ask.ts";
import { evenly } from "./evenly.ts";
import type { Pace } from "./jobs.ts";
import { heartbeatRequest, VIEWERS, viewerTokens } from "./requests.ts";

/** @returns requests a second that were answered 202, until the last of them was. */
export async function pace({ url, connections, seconds, eventsEach, rate }: Pace): Promise<number> {
  const tokens = await viewerTokens();
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const start = performance.now();
  try {
    const sent = await evenly(rate, seconds, async (nth) => {
      const { path, ...post } = heartbeatRequest(nth % VIEWERS, tokens, {
        eventsEach,
        from: Date.now() - eventsEach,
      });
      await ask(`${url}${path}`, { agent, expect: 202, ...post });
    });
    return sent / ((performance.now() - start) / 1_000);
  } finally {
    agent.destroy();
  }
}
