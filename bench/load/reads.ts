import { Agent } from "node:http";
import { ask } from "./ask.ts";
import { evenly } from "./evenly.ts";
import type { Reads } from "./jobs.ts";

/** @returns how long each answer took to its last byte. A connection's first is not counted: it connects. */
export async function reads({ url, asks, connections, seconds, rate }: Reads): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1_000;
  let next = 0;

  async function reader(): Promise<void> {
    await once();
    while (performance.now() < end) latencies.push(await once());
  }
  async function once(start = performance.now()): Promise<number> {
    const its = asks[next++ % asks.length];
    if (!its) throw new Error("there is nothing to ask for");
    await ask(`${url}${its.path}`, { agent, headers: { authorization: `Bearer ${its.token}` }, expect: 200 });
    return performance.now() - start;
  }

  try {
    if (rate === undefined) await Promise.all(Array.from({ length: connections }, reader));
    else {
      await Promise.all(Array.from({ length: connections }, () => once()));
      await evenly(rate, seconds, async (_, due) => void latencies.push(await once(due)));
    }
    return latencies;
  } finally {
    agent.destroy();
  }
}
