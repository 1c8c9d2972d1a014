import { Agent } from "node:http";
import { ask } from "./ask.ts";
import type { Reads } from "./jobs.ts";

/** @returns how long each answer took to its last byte. A connection's first is not counted: it connects. */
export async function reads({ url, asks, connections, seconds }: Reads): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1_000;
  let next = 0;

  async function reader(): Promise<void> {
    await once();
    while (performance.now() < end) latencies.push(await once());
  }
  async function once(): Promise<number> {
    const its = asks[next++ % asks.length];
    if (!its) throw new Error("there is nothing to ask for");
    const start = performance.now();
    await ask(`${url}${its.path}`, { agent, headers: { authorization: `Bearer ${its.token}` }, expect: 200 });
    return performance.now() - start;
  }

  try {
    await Promise.all(Array.from({ length: connections }, reader));
    return latencies;
  } finally {
    agent.destroy();
  }
}
