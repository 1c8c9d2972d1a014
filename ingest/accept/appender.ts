import type { Entry } from "../../db/contract/events.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { EventStream } from "../stream.ts";

/** One append carries at most so much; what comes meanwhile goes with the next. */
const ENTRIES_AT_ONCE = 500;
const BYTES_AT_ONCE = 8_000_000;
/** Long enough for a drain that is behind to have caught up a little. */
const BACKLOG_RETRY_SECONDS = 5;

/**
 * Makes entries durable. Those that come while an append is under way share the next one, and its fsync.
 *
 * The promise resolves once the entry is in the stream.
 * @throws Refusal `backlog_full` past the limit, `unavailable` when the stream cannot be reached.
 */
export function appender(
  stream: Pick<EventStream, "append">,
  limit: number,
): (entry: Entry) => Promise<void> {
  let waiting: Waiting[] = [];
  let underway = false;

  async function appendWaiting(): Promise<void> {
    underway = true;
    while (waiting.length > 0) {
      const batch = takeBatch();
      try {
        const taken = await stream.append(batch, limit);
        for (const [index, { resolve, reject }] of batch.entries()) {
          if (taken[index]) resolve();
          else reject(backlogFull());
        }
      } catch (cause) {
        const refusal = new Refusal("unavailable", "the event stream is out of reach", { cause });
        for (const { reject } of batch) reject(refusal);
      }
    }
    underway = false;
  }

  function takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { payload } of waiting) {
      bytes += payload.length;
      if (count === ENTRIES_AT_ONCE || (count > 0 && bytes > BYTES_AT_ONCE)) break;
      count++;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  return function append(entry) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ payload: JSON.stringify(entry), events: entry.events.length, resolve, reject });
    // The requests of this moment go together.
    if (!underway) {
      underway = true;
      setImmediate(() => void appendWaiting());
    }
    return promise;
  };
}

function backlogFull(): Refusal {
  return new Refusal("backlog_full", "too many events are waiting, nothing was stored", {
    retryAfterSeconds: BACKLOG_RETRY_SECONDS,
  });
}

type Waiting = {
  payload: string;
  events: number;
  resolve: () => void;
  reject: (refusal: Refusal) => void;
};
