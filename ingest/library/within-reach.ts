import { Refusal } from "../../db/contract/refusals.ts";
import { isPoison, sqlState } from "../../db/postgres/outcome.ts";
import type { Log } from "../observe/log.ts";

/** Long enough for a Postgres that restarts. */
const RETRY_SECONDS = 5;

/** A reader, each of whose answers is within reach or refused. */
export function readerWithinReach<Reader extends Record<keyof Reader, Read>>(
  log: Log,
  what: string,
  reader: Reader,
): Reader {
  const reads = Object.entries<Read>(reader).map(([name, read]) => {
    const within: Read = (...its) => withinReach(log, what, read(...its));
    return [name, within];
  });
  return Object.fromEntries(reads) as Reader;
}

type Read = (...its: never[]) => Promise<unknown>;

/**
 * What Postgres says.
 *
 * @throws Refusal `unavailable` while it is out of reach; what it refuses for its content, and what is not its own, as
 * it is.
 */
export async function withinReach<T>(log: Log, what: string, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    if (cause instanceof Refusal || sqlState(cause) === null || isPoison(cause)) throw cause;
    log.warn({ error: cause }, `${what} is out of reach`);
    throw new Refusal("unavailable", `${what} is out of reach`, { cause, retryAfterSeconds: RETRY_SECONDS });
  }
}
