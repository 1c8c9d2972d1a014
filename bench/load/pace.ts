import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { Pace } from "./jobs.ts";
import { heartbeatRequest, VIEWERS, viewerTokens } from "./requests.ts";

/**
 * Sends each request when it is due, whether or not the earlier ones were answered: autocannon's rate is a burst
 * at the beginning of every second.
 *
 * @returns requests a second that were answered 202, until the last of them was.
 */
export async function pace({ url, connections, seconds, eventsEach, rate }: Pace): Promise<number> {
  const tokens = await viewerTokens();
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers: Promise<void>[] = [];
  const failures: unknown[] = [];

  function send(): Promise<void> {
    const from = Date.now() - eventsEach;
    const viewer = answers.length % VIEWERS;
    const { path, ...post } = heartbeatRequest(viewer, tokens, { eventsEach, from });
    return ask(`${url}${path}`, { agent, expect: 202, ...post }).catch((error) => void failures.push(error));
  }

  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1_000;
  try {
    while (elapsed() < seconds) {
      while (answers.length < rate * elapsed()) answers.push(send());
      await sleep(1);
    }
    await Promise.all(answers);
    if (failures.length > 0) throw failures[0];
    return answers.length / elapsed();
  } finally {
    agent.destroy();
  }
}
