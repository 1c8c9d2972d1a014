import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { PartyMetrics } from "../observe/metrics-party.ts";
import type { Leases } from "./leases.ts";
import { type LookDeps, lookAtOwn } from "./look-at-own.ts";
import { RoomRefused } from "./room.ts";
import type { RoomStore } from "./room-store.ts";

/** Between two rounds. */
const REST_MS = 1_000;
/** The process that wrote to a room last ticks it; others only when it does not. */
const GRACE_MS = 250;
/** How often everything is looked at, whether it is due or not. */
const WHOLE_EVERY_MS = 5_000;
const AT_ONCE = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Looks after rooms until the signal, whichever process they were served by: what is due in them happens, those that
 * ended are finished with, members of processes that died are lost, and what waits too long is flushed. Any number of
 * processes do so at once. Nothing of it waits for the rest: while Postgres hangs, rooms go on.
 */
export async function attendParties(deps: AttendDeps, signal: AbortSignal): Promise<void> {
  const { store, rooms, leases, finish, flush, metrics, clock, log, flushEveryMs } = deps;
  const failing = new Map<string, { until: number; pause: number }>();
  const finishing = new Set<string>();
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

  async function every(ms: number, what: string, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await keepTrying(what, work, { signal, log }).catch(() => {});
      await rest(ms, signal);
    }
  }

  async function serve(): Promise<void> {
    await leases.renew();
    await deps.open();
  }

  async function tickDue(): Promise<void> {
    const due = await store.due(clock() - GRACE_MS, AT_ONCE);
    await Promise.all(due.map((party_id) => unlessFailing(party_id, attend)));
  }

  async function attend(party_id: string): Promise<void> {
    const room = await store.load(party_id);
    if (room && !room.ended) return void (await rooms.tell(party_id, { type: "tick" }));
    if (finishing.has(party_id)) return;
    finishing.add(party_id);
    void unlessFailing(party_id, finish).finally(() => finishing.delete(party_id));
  }

  async function lookAfterMembers(): Promise<void> {
    await loseTheGone();
    await lookAtOwn(deps);
  }

  async function loseTheGone(): Promise<void> {
    for (const process of await leases.gone()) {
      for (const party_id of await store.all()) {
        await rooms.tell(party_id, { type: "gone", process }).catch(ignoreRefused);
      }
      await leases.forget(process);
      log.info({ process }, "a process of the parties is gone");
    }
  }

  async function flushTheOld(): Promise<void> {
    const all = await store.all();
    const old: string[] = [];
    let buffered = 0;
    for (let at = 0; at < all.length; at += AT_ONCE) {
      for (const { party_id, count, since } of await store.waiting(all.slice(at, at + AT_ONCE))) {
        buffered += count;
        if (count > 0 && since <= clock() - flushEveryMs) old.push(party_id);
      }
    }
    metrics.seen({ rooms: all.length, buffered });
    for (const party_id of old) {
      const mine = await store.claim(party_id, Math.min(LONGEST_PAUSE_MS, flushEveryMs / 2));
      // One that hangs keeps nobody from stopping.
      if (mine) await Promise.race([unlessFailing(party_id, flush), stopped]);
    }
  }

  /** What fails again and again is tried less and less often, and keeps nobody else waiting. */
  async function unlessFailing(party_id: string, work: (party_id: string) => Promise<void>): Promise<void> {
    const failed = failing.get(party_id);
    if (failed && failed.until > clock()) return;
    try {
      await work(party_id);
      failing.delete(party_id);
    } catch (error) {
      if (error instanceof RoomRefused) return;
      const pause = Math.min((failed?.pause ?? REST_MS / 2) * 2, LONGEST_PAUSE_MS);
      failing.set(party_id, { until: clock() + pause, pause });
      log.warn({ error, party_id, pause }, "a party is looked after later");
    }
  }

  await Promise.all([
    every(REST_MS, "serve parties", serve),
    every(REST_MS, "tick rooms", tickDue),
    every(WHOLE_EVERY_MS, "look after members", lookAfterMembers),
    every(Math.min(WHOLE_EVERY_MS, flushEveryMs), "flush parties", flushTheOld),
  ]);
}

function ignoreRefused(error: unknown): void {
  if (!(error instanceof RoomRefused)) throw error;
}

export type AttendDeps = LookDeps & {
  store: Pick<RoomStore, "due" | "all" | "load" | "waiting" | "claim">;
  leases: Leases;
  /** Lets connections in, if that is still to be done. */
  open: () => Promise<unknown>;
  finish: (party_id: string) => Promise<void>;
  flush: (party_id: string) => Promise<void>;
  metrics: Pick<PartyMetrics, "seen">;
  clock: () => number;
  log: Log;
  /** How long what happened may wait for Postgres. */
  flushEveryMs: number;
};
