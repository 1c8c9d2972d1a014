import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { countFlushed } from "./count-flushed.ts";
import { peakIn } from "./peak.ts";
import { type TendDeps, type Tended, tendRooms } from "./tend-rooms.ts";
import { endParties, nextStart, openDueParties, partiesToTend, type Standing } from "./transitions.ts";

/** Nobody waits longer for what is due; whatever the next time was thought to be, it is looked up again. */
const REST_MS = 1_000;
/** Parties that change in one transaction. */
const AT_ONCE = 100;
/** After so long every room is looked after again, whoever thought that it was in order. */
const FORGET_MS = 60_000;

/**
 * Opens parties at their start and ends them at their end, until the signal. Any number of processes do so at once: each
 * transition is made by one of them, in Postgres, and every one of them brings the rooms in line with what is there. So
 * what was due while nobody ran, and what somebody did not finish, is done by whoever comes next.
 */
export async function runSchedule(deps: ScheduleDeps, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  const turn = scheduleTurn(deps);
  while (!signal.aborted) {
    const next = await keepTrying("the schedule of parties", turn, { signal, log }).catch(() => null);
    const away = next === null ? REST_MS : next - clock();
    await rest(Math.min(Math.max(away, 1), REST_MS), signal);
  }
}

/**
 * One turn of the schedule: everything that is due by now. To repeat it changes nothing.
 *
 * @returns when something will be due, in epoch milliseconds; null when nobody knows of anything.
 */
export function scheduleTurn(deps: ScheduleDeps): () => Promise<number | null> {
  const { db, clock, log } = deps;
  const tended: Tended = new Map();
  let forgetAt = clock() + FORGET_MS;

  return async function turn() {
    const now = clock();
    await openDue(deps, now);
    await endDue(deps, await partiesToTend(db), now);
    await countFlushed(db);

    if (now >= forgetAt) {
      tended.clear();
      forgetAt = now + FORGET_MS;
    }
    const standing = await partiesToTend(db);
    const failed = await tendRooms(deps, standing, tended);
    if (failed.length > 0) {
      log.warn({ error: failed[0], rooms: failed.length }, "rooms of parties are out of reach, trying again");
    }
    return earliest([await nextStart(db), ...standing.flatMap(endsAt)], now);
  };
}

async function openDue({ db, log }: ScheduleDeps, now: number): Promise<void> {
  for (;;) {
    const opened = await openDueParties(db, now, AT_ONCE);
    for (const { party_id, status } of opened) {
      log.info({ party_id }, status === "ONGOING" ? "party opened" : "party missed");
    }
    if (opened.length < AT_ONCE) return;
  }
}

/** How many watched is published with the end: a party whose buffer is out of reach ends when that is back. */
async function endDue({ db, rooms, log }: ScheduleDeps, standing: readonly Standing[], now: number) {
  const due = standing.filter((party) => endsAt(party).some((at) => at <= now)).map((its) => its.party_id);
  for (let at = 0; at < due.length; at += AT_ONCE) {
    const peaks = new Map<string, number>();
    const looks = due.slice(at, at + AT_ONCE).map(async (party_id) => {
      peaks.set(party_id, peakIn(await rooms.buffered(party_id)));
    });
    const failed = (await Promise.allSettled(looks)).find((look) => look.status === "rejected");
    if (failed) log.warn({ error: failed.reason }, "parties go on: their buffers are out of reach");
    if (peaks.size === 0) return;
    const ended = await endParties(db, [...peaks.keys()], { now, reason: "schedule", only: "due", peaks });
    for (const { party_id } of ended) log.info({ party_id, reason: "schedule" }, "party over");
  }
}

function endsAt({ status, ends_at }: Standing): number[] {
  return status === "ONGOING" ? [ends_at] : [];
}

/** What was due and is not done yet is tried again after a rest. */
function earliest(times: readonly (number | null)[], now: number): number | null {
  const ahead = times.filter((at): at is number => at !== null && at > now);
  return ahead.length > 0 ? Math.min(...ahead) : null;
}

export type ScheduleDeps = TendDeps & { log: Log };
