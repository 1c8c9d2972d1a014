import { poll } from "../../db/local/poll.ts";
import type { Part } from "./part.ts";
import { messageOf } from "./run.ts";

/**
 * The parts that run together, and what ends them: the first to end ends the whole.
 *
 * `over` is aborted once, with the reason: a `StopRequested`, or the error that says which part
 * ended and what it said last.
 */
export function createCrew(): Crew {
  const parts: Part[] = [];
  const over = new AbortController();

  return {
    over: over.signal,
    end: (reason) => over.abort(reason),
    ended: () =>
      new Promise((resolve) => {
        if (over.signal.aborted) resolve(over.signal.reason);
        over.signal.addEventListener("abort", () => resolve(over.signal.reason));
      }),

    join(part) {
      parts.push(part);
      void part.ended.then((how) => {
        if (!over.signal.aborted) over.abort(new Error(inWords(part, `ended ${how}`)));
      });
      return part;
    },

    async untilReady(part, fact, timeout = READY_TIMEOUT) {
      const ready = await poll(async () => {
        over.signal.throwIfAborted();
        return await fact();
      }, timeout);
      if (!ready) throw new Error(inWords(part, `was not ready within ${timeout / 1000} s`));
    },

    async stop(onStop) {
      const failures: string[] = [];
      for (const part of parts.toReversed()) {
        onStop(part.name);
        await part.stop().catch((error: unknown) => failures.push(`${part.name}: ${messageOf(error)}`));
      }
      if (failures.length > 0) throw new Error(`Not everything stopped: ${failures.join("; ")}`);
    },

    async kill() {
      await Promise.allSettled(parts.map((part) => part.kill()));
    },
  };
}

/** Somebody wants it to end. */
export class StopRequested extends Error {
  override readonly name = "StopRequested";
}

/** The first start of the worker bundles it; everything else takes a second or two. */
const READY_TIMEOUT = 60_000;

function inWords({ name, lastWords }: Part, what: string): string {
  const words = lastWords();
  return words === "" ? `${name} ${what}.` : `${name} ${what}. Its last words:\n${words}`;
}

export type Crew = {
  over: AbortSignal;
  /** Ends the whole, unless it has ended already. */
  end(reason: unknown): void;
  /** Waits for the end. @returns its reason. */
  ended(): Promise<unknown>;
  join(part: Part): Part;
  /** Waits for the fact that says a part can be used. @throws when anything ends meanwhile. */
  untilReady(part: Part, fact: () => Promise<boolean>, timeout?: number): Promise<void>;
  /** Last in, first out, each waited for; one that fails does not keep the others. */
  stop(onStop: (name: string) => void): Promise<void>;
  kill(): Promise<void>;
};
