import type { Standing } from "../stream.ts";
import type { Look } from "./scrape.ts";

const GAUGES = {
  backlog_events: "Events that are accepted and not yet visible",
  backlog_limit_events: "Events that may wait; past it writes are refused",
  backlog_entries: "Entries of the stream that hold them",
  backlog_age_seconds: "How long the oldest of them has been waiting: the lag",
  pending_entries:
    "Entries that turns have taken and not let go of: in flight, or left by an ingest that died",
  quarantine_entries: "Entries in quarantine, waiting for a person",
};

/** How the stream stands. All ingests of one stream say the same. */
export function streamGauges(
  standing: () => Promise<Standing>,
  { limit, clock }: { limit: number; clock: () => number },
): Look<keyof typeof GAUGES> {
  return {
    of: "stream",
    gauges: GAUGES,
    async read() {
      const { events, entries, oldestAt, pending, quarantined } = await standing();
      return {
        backlog_events: events,
        backlog_limit_events: limit,
        backlog_entries: entries,
        backlog_age_seconds: oldestAt === null ? 0 : Math.max(0, clock() - oldestAt) / 1_000,
        pending_entries: pending,
        quarantine_entries: quarantined,
      };
    },
  };
}
