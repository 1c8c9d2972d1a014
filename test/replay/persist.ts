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
 * @throws when the final answer is none of the wanted ones.
 */
export async function persist(
  question: () => Question,
  wanted: readonly number[],
  { gate, statuses }: PersistDeps,
): Promise<Settled> {
  const deadline = performance.now() + PATIENCE_MS;
  let took = 0;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const attempt = await gate(async () => {
      const asked = question();
      const from = Date.now();
      const answer = await ask(asked).catch(() => null);
      return { asked, answer, from, to: Date.now() };
    });
    const { asked, answer, from, to } = attempt;
    took = Math.max(took, to - from);
    const status = answer?.status ?? "silence";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (answer && answer.status < 500 && answer.status !== 429) {
      if (!wanted.includes(answer.status))
        throw new Error(`${nameOf(asked)} answered ${status}: ${answer.body}`);
      return { answer, took, from, to };
    }
    if (performance.now() > deadline) {
      const seconds = PATIENCE_MS / 1_000;
      throw new Error(
        `no final answer for ${seconds} s from ${nameOf(asked)}: ${status} ${answer?.body ?? ""}`,
      );
    }
    const told = Number(answer?.headers.get("retry-after") ?? 0) * 1_000;
    await delay(told > 0 ? told : pause);
  }
}

function nameOf({ method = "GET", url }: Question): string {
  return `${method} ${url}`;
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

/** A final answer, to a question that was asked `from` then and answered by `to`. */
export type Settled = {
  answer: Answer;
  from: number;
  to: number;
  /** How long any attempt that may have arrived took at most. */
  took: number;
};
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;
/** How often each status was answered. */
export type Statuses = Map<number | "silence", number>;
export type PersistDeps = { gate: Gate; statuses: Statuses };
