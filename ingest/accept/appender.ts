import type { Entry } from "../../db/contract/events.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { EventStream } from "../stream.ts";

/** What comes together shares an entry of the stream, up to so much; a drain pays by the entry. */
const ENTRY_EVENTS = 500;
const ENTRY_BYTES = 256_000;
/** Entries of one append; what comes meanwhile goes with the next. */
const ENTRIES_AT_ONCE = 20;
/** Long enough for a drain that is behind to have caught up a little. */
const BACKLOG_RETRY_SECONDS = 5;

/**
 * Makes events durable. What comes while an append is under way shares the next one: its entry in the stream, its
 * round trip and its fsync.
 *
 * The promise resolves once the events are in the stream.
 * @throws Refusal `backlog_full` past the limit, `unavailable` when the stream cannot be reached.
 */
export function appender(
  stream: Pick<EventStream, "append">,
  limit: number,
): (entry: Entry) => Promise<void> {
  let waiting: Waiting[] = [];
  let underway = false;

  async function appendWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const shared = sharedEntries(waiting).slice(0, ENTRIES_AT_ONCE);
      waiting = waiting.slice(shared.flat().length);
      await appendShared(shared);
    }
    underway = false;
  }

  async function appendShared(shared: readonly Waiting[][]): Promise<void> {
    try {
      const taken = await stream.append(shared.map(streamEntry), limit);
      for (const [index, together] of shared.entries()) {
        for (const { resolve, reject } of together) taken[index] ? resolve() : reject(backlogFull());
      }
    } catch (cause) {
      const refusal = new Refusal("unavailable", "the event stream is out of reach", { cause });
      for (const { reject } of shared.flat()) reject(refusal);
    }
  }

  return function append(entry) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ payload: JSON.stringify(entry), events: entry.events.length, resolve, reject });
    if (!underway) {
      underway = true;
      // The requests of this moment go together.
      setImmediate(() => void appendWaiting());
    }
    return promise;
  };
}

/** What waits, cut where an entry of the stream is full. */
function sharedEntries(waiting: readonly Waiting[]): Waiting[][] {
  const shared: Waiting[][] = [];
  let events = 0;
  let bytes = 0;
  for (const one of waiting) {
    events += one.events;
    bytes += one.payload.length;
    const last = shared.at(-1);
    if (last && events <= ENTRY_EVENTS && bytes <= ENTRY_BYTES) last.push(one);
    else {
      shared.push([one]);
      events = one.events;
      bytes = one.payload.length;
    }
  }
  return shared;
}

/** `Payload` of the contract, out of parts that are JSON already. */
function streamEntry(together: readonly Waiting[]): { payload: string; events: number } {
  return {
    payload: `[${together.map(({ payload }) => payload).join()}]`,
    events: together.reduce((sum, { events }) => sum + events, 0),
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
