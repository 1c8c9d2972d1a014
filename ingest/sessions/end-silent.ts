import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import { type EndDeps, endSession } from "./end-session.ts";
import type { SessionStore } from "./session-store.ts";

/** Between two rounds. */
const REST_MS = 1_000;
/** Sessions that are ended together. */
const AT_ONCE = 100;

/**
 * Ends sessions whose players are silent, now and then until the signal comes.
 *
 * A player is silent only while somebody could have heard it: after a start, and after Redis was away, all of them get
 * their time again. Otherwise an outage would end every session that went on meanwhile.
 */
export async function endSilentSessions(deps: SilentDeps, signal: AbortSignal): Promise<void> {
  const { clock, timeoutMs, log } = deps;
  let listeningSince = clock();

  async function round(): Promise<void> {
    const since = clock() - timeoutMs;
    if (since < listeningSince) return;
    try {
      await endSilent(deps, since, signal);
    } catch (error) {
      listeningSince = clock();
      throw error;
    }
  }

  while (!signal.aborted) {
    await keepTrying("end silent sessions", round, { signal, log }).catch(() => {});
    await rest(REST_MS, signal);
  }
}

/**
 * Ends each session that was not heard of since a time, with the last position that it reported. Any number of ingests
 * may do so at once: of those that saw the same session one ends it, and none does when it is heard of meanwhile.
 *
 * @returns how many were ended.
 */
export async function endSilent(deps: SilentDeps, since: number, signal?: AbortSignal): Promise<number> {
  const { sessions, clock, log } = deps;
  let ended = 0;
  let full = false;
  while (!full && !signal?.aborted) {
    const silent = await sessions.silent(since, AT_ONCE);
    if (silent.length === 0) break;
    const endings = await Promise.all(
      silent.map((session) => endSession(deps, session, { at: clock(), by: "timeout" })),
    );
    ended += endings.filter((ending) => ending === "ended").length;
    // They are ended when there is room again.
    full = endings.includes("full");
  }
  if (full) log.warn("silent sessions go on: too many events are waiting");
  if (ended > 0) log.debug({ ended }, "silent sessions were ended");
  return ended;
}

export type SilentDeps = EndDeps & {
  sessions: Pick<SessionStore, "silent" | "end">;
  clock: () => number;
  timeoutMs: number;
  log: Log;
};
