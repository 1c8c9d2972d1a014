import { setTimeout as delay } from "node:timers/promises";
import { type Answer, ask, type Question } from "./ask.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** An outage that lasts longer is a failure of the run. */
const PATIENCE_MS = 180_000;

/**
 * Asks until there is an answer that is final, as a player's SDK does: an outage (429, 5xx, silence) is waited out,
 * for as long as the server says or longer and longer.
 *
 * @param question is made anew for every attempt; a slot of `gate` is held only during one.
 * @returns the answer, and how long any attempt that may have arrived took at most.
 */
export async function persist(
  url: string,
  question: () => Question,
  { gate, statuses }: PersistDeps,
): Promise<{ answer: Answer; took: number }> {
  const deadline = performance.now() + PATIENCE_MS;
  let took = 0;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const answer = await gate(async () => {
      const from = Date.now();
      try {
        return await ask(url, question());
      } catch {
        return null;
      } finally {
        took = Math.max(took, Date.now() - from);
      }
    });
    const status = answer?.status ?? "silence";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (answer && answer.status < 500 && answer.status !== 429) return { answer, took };
    if (performance.now() > deadline) {
      throw new Error(
        `no final answer for ${PATIENCE_MS / 1_000} s from ${url}: ${status} ${answer?.body ?? ""}`,
      );
    }
    const told = Number(answer?.headers.get("retry-after") ?? 0) * 1_000;
    await delay(told > 0 ? told : pause);
  }
}

/** At most so many at once; the others wait in line. */
export function gateOf(width: number): Gate {
  const line: (() => void)[] = [];
  let free = width;
  return async function gate(work) {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => line.push(resolve));
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next) next();
      else free++;
    }
  };
}

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;
/** How often each status was answered. */
export type Statuses = Map<number | "silence", number>;
export type PersistDeps = { gate: Gate; statuses: Statuses };
