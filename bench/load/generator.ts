import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Flood, Job, Outcome, Pace, Reads } from "./jobs.ts";

/**
 * Clients in a process of their own, the same one for both sides of a comparison, so that neither the bench nor
 * a server under test pays for them, and both sides have equally warm clients.
 */
export function startGenerator(): Generator {
  const child = fork(fileURLToPath(new URL("main.ts", import.meta.url)), { serialization: "advanced" });
  const ended = once(child, "exit");

  async function ask(job: Job): Promise<Outcome> {
    child.send(job);
    const answer = once(child, "message").then(([outcome]) => outcome as Outcome);
    const outcome = await Promise.race([answer, ended.then(() => ({ failed: "the generator ended" }))]);
    if ("failed" in outcome) throw new Error(outcome.failed);
    return outcome;
  }

  return {
    async flood(options) {
      const outcome = await ask({ kind: "flood", ...options });
      return "perSecond" in outcome ? outcome.perSecond : Number.NaN;
    },
    async pace(options) {
      const outcome = await ask({ kind: "pace", ...options });
      return "perSecond" in outcome ? outcome.perSecond : Number.NaN;
    },
    async reads(options) {
      const outcome = await ask({ kind: "reads", ...options });
      return "latencies" in outcome ? outcome.latencies : [];
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

export type Generator = {
  /** @returns requests a second. */
  flood(options: Omit<Flood, "kind">): Promise<number>;
  /** @returns requests a second. */
  pace(options: Omit<Pace, "kind">): Promise<number>;
  /** @returns latencies in ms. */
  reads(options: Omit<Reads, "kind">): Promise<number[]>;
  stop(): Promise<void>;
};
