import { keepTrying, rest } from "../keep-trying.ts";
import type { Log } from "../observe/log.ts";
import type { Erasure } from "./erasure.ts";
import type { ErasureMarks } from "./erasure-marks.ts";

/** Between two rounds. */
const REST_MS = 500;

/**
 * Goes on with erasures until the signal comes, whoever began them. Any number of ingests may do so at once.
 *
 * First, and whenever Redis has lost them, it is told again who was erased.
 */
export async function finishErasures(deps: FinishDeps, signal: AbortSignal): Promise<void> {
  const { erasure, marks, isTold, log } = deps;
  let told = false;

  async function round(): Promise<void> {
    if (!told || !(await isTold())) await marks.tellRedis();
    told = true;
    while (!signal.aborted) {
      const row = await erasure.claim();
      if (row === null) return;
      await erasure.goOn(row);
    }
  }

  while (!signal.aborted) {
    await keepTrying("finish erasures", round, { signal, log }).catch(() => {});
    await rest(REST_MS, signal);
  }
}

type FinishDeps = {
  erasure: Pick<Erasure, "claim" | "goOn">;
  marks: Pick<ErasureMarks, "tellRedis">;
  /** Does the stream's Redis know who was erased? Of nobody it knows nothing. */
  isTold: () => Promise<boolean>;
  log: Log;
};
