import { flood } from "./flood.ts";
import type { Job, Outcome } from "./jobs.ts";
import { pace } from "./pace.ts";
import { reads } from "./reads.ts";

/** The generator's process: takes jobs from its parent one at a time, and ends with it. */
process.on("message", (job: Job) => {
  void outcomeOf(job).then((outcome) => process.send?.(outcome));
});
process.once("disconnect", () => process.exit());

async function outcomeOf(job: Job): Promise<Outcome> {
  try {
    if (job.kind === "reads") return { latencies: await reads(job) };
    return { perSecond: await (job.kind === "flood" ? flood(job) : pace(job)) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
