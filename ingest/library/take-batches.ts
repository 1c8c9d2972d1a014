import { setTimeout as delay } from "node:timers/promises";
import { MAX_LINE_BYTES } from "../../db/contract/bulk.ts";
import { type Line, lineSplitter } from "./line-splitter.ts";

/** Lines of a batch at most, and bytes that are held for it. */
const MOST_LINES = 500;
const MOST_BYTES = 1_048_576;
/** How long a batch that is not full waits for company. */
const LINGER_MS = 5;

/**
 * The lines of a body in batches, each as soon as it is full or nothing follows at once: the client may be waiting
 * for results before it sends more. Only one chunk is read ahead, so a slow store slows the client down.
 *
 * A client that hangs up ends it, and so does the signal; what was in no batch yet is dropped then.
 */
export async function* takeBatches(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Line[]> {
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  const read = () => reader.read().catch((): typeof HUNG_UP => HUNG_UP);
  const splitter = lineSplitter(MAX_LINE_BYTES);
  let batch: Line[] = [];
  let bytes = 0;
  const taken = () => {
    const complete = batch;
    batch = [];
    bytes = 0;
    return complete;
  };

  signal.addEventListener("abort", stop, { once: true });
  try {
    let reading = read();
    while (!signal.aborted) {
      const came = batch.length === 0 ? await reading : await Promise.race([reading, later()]);
      if (came === HUNG_UP || signal.aborted) return;
      if (came === LATER) {
        yield taken();
        continue;
      }
      for (const line of came.done ? splitter.end() : splitter.push(came.value)) {
        batch.push(line);
        if (batch.length === MOST_LINES) yield taken();
      }
      bytes += came.value?.length ?? 0;
      if (batch.length > 0 && (came.done || bytes >= MOST_BYTES)) yield taken();
      if (came.done) return;
      reading = read();
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

const HUNG_UP = Symbol("hung up");
const LATER = Symbol("later");

function later(): Promise<typeof LATER> {
  return delay(LINGER_MS, LATER);
}
