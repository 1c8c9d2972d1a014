import { sql } from "drizzle-orm";
import type { Database } from "../../db/postgres/connect.ts";
import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { type CarriedPage, type CarryPageDeps, carryPage } from "./carry-page.ts";

/** How soon a change is noticed when there was nothing to do. */
const REST_MS = 250;
/** How often a long work says how far it is. */
const REPORT_MS = 5_000;
const NOTHING: CarriedPage = { taken: 0, contents: 0, viewers: 0 };

/**
 * Carries catalogue changes into the views of everybody who watched the contents, until the signal comes; the page
 * under way is finished then.
 *
 * How far it is stands in Postgres alone: another ingest, or the same after a crash, goes on from there. Several
 * of them share the work and never wait for each other; each tries again for as long as an outage lasts.
 */
export async function carryChanges(deps: CarryDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await carryAll(deps, signal);
    await rest(REST_MS, signal);
  }
}

/** How many contents have changes that are not in all views yet. */
export async function pendingChanges(db: Database): Promise<number> {
  const rows = await db.execute(sql`SELECT count(*) AS pending FROM content_changes`);
  return (rows as unknown as { pending: number }[])[0]?.pending ?? 0;
}

/** Page after page, until there is nothing that nobody else has taken up. */
async function carryAll(deps: CarryDeps, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  const carried = { contents: 0, viewers: 0 };
  let reportAt = clock() + REPORT_MS;
  while (!signal.aborted) {
    const next = () => carryPage(deps);
    const page = await keepTrying("carry catalogue changes", next, { signal, log }).catch(() => NOTHING);
    if (page.taken === 0) break;
    carried.contents += page.contents;
    carried.viewers += page.viewers;
    if (clock() < reportAt) continue;
    await report(deps, carried);
    reportAt = clock() + REPORT_MS;
  }
  if (carried.contents + carried.viewers > 0) await report(deps, carried);
}

/** Says how far it is; what is left is unknown (null) when Postgres went away meanwhile. */
async function report({ db, log }: CarryDeps, carried: Omit<CarriedPage, "taken">): Promise<void> {
  const left = await pendingChanges(db).catch(() => null);
  log.info({ ...carried, left }, "catalogue changes carried");
}

export type CarryDeps = CarryPageDeps & { clock: () => number; log: Log };
