import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { poll } from "./poll.ts";

/**
 * Lets Postgres take over the lock file that a killed server left behind.
 *
 * Postgres clears it away by itself unless some process bears the dead server's pid again, which is
 * usual in a restarted container. A lock that names the new server's parent it always takes for
 * stale, so that is what the lock is made to say; the rest of the file, by which Postgres finds out
 * whether the dead server's own children still live, stays. To be called once nobody works there.
 */
export function adoptStaleLock(lock: string): void {
  if (existsSync(lock)) writeFileSync(lock, readFileSync(lock, "utf8").replace(/^.*/, String(process.pid)));
}

/**
 * Starts a server, waiting for the children of a killed one: they notice its death by themselves,
 * and until the last of them has gone Postgres rightly refuses to touch the data.
 */
export async function afterLeftovers<T>(start: () => Promise<T>, timeout = 10_000): Promise<T> {
  let refusal: unknown;
  const started = await poll(async () => {
    try {
      return { server: await start() };
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("pre-existing shared memory block"))
        throw error;
      refusal = error;
      return undefined;
    }
  }, timeout);
  if (started === undefined) throw refusal;
  return started.server;
}
