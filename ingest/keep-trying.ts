import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "./observe/log.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** From this pause on it is no hiccup any more. */
const SERIOUS_PAUSE_MS = 1_000;

/**
 * Tries until it works, for as long as the outage lasts, with growing pauses.
 *
 * @param options.hopeless errors that no other try would mend: they are thrown at once.
 * @throws the last error when the signal comes.
 */
export async function keepTrying<T>(
  what: string,
  work: () => Promise<T>,
  {
    signal,
    log,
    hopeless = () => false,
  }: { signal: AbortSignal; log: Log; hopeless?: (error: unknown) => boolean },
): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || hopeless(error)) throw error;
      const level = pause >= SERIOUS_PAUSE_MS ? "error" : "warn";
      log[level]({ error, pause }, `${what}: failed, trying again`);
      await rest(pause * (0.5 + Math.random() / 2), signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Waits, or until the signal comes; never throws. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
