import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Chat, CrowdJob, CrowdOutcome, Gather } from "./jobs.ts";

/** Members of parties in processes of their own, the same ones for both sides of a comparison. */
export function startCrowd(processes: number): Crowd {
  const children = Array.from({ length: processes }, () => {
    const child = fork(fileURLToPath(new URL("crowd-main.ts", import.meta.url)), {
      serialization: "advanced",
    });
    return { child, ended: once(child, "exit") };
  });

  async function ask(n: number, job: CrowdJob): Promise<CrowdOutcome> {
    const its = children[n];
    if (!its) throw new Error("no such process");
    const answer = once(its.child, "message").then(([outcome]) => outcome as CrowdOutcome);
    its.child.send(job);
    const outcome = await Promise.race([answer, its.ended.then(() => ({ failed: "a crowd ended" }))]);
    if ("failed" in outcome) throw new Error(outcome.failed);
    return outcome;
  }

  return {
    async gather(job) {
      await Promise.all(
        children.map((_, n) => {
          const parties = job.parties.map(({ party_id, tokens }) => {
            const share = Math.ceil(tokens.length / processes);
            return { party_id, tokens: tokens.slice(n * share, (n + 1) * share) };
          });
          return ask(n, { kind: "gather", ...job, parties });
        }),
      );
    },
    async chat(job) {
      const each = { ...job, rate: job.rate / processes, speakers: Math.ceil(job.speakers / processes) };
      const outcomes = await Promise.all(children.map((_, n) => ask(n, { kind: "chat", ...each })));
      const seen = { heard: 0, refused: 0, latencies: [] as number[] };
      for (const outcome of outcomes) {
        if (!("heard" in outcome)) continue;
        seen.heard += outcome.heard;
        seen.refused += outcome.refused;
        seen.latencies = seen.latencies.concat(outcome.latencies);
      }
      return seen;
    },
    async stop() {
      for (const { child } of children) if (child.connected) child.disconnect();
      await Promise.all(children.map(({ ended }) => ended));
    },
  };
}

export type Crowd = {
  gather(job: Omit<Gather, "kind">): Promise<void>;
  chat(job: Omit<Chat, "kind">): Promise<{ heard: number; refused: number; latencies: number[] }>;
  stop(): Promise<void>;
};
