import { createServer } from "node:net";

/**
 * Starts something on the wanted port, or, when none is wanted, on one that is free.
 *
 * Between finding a free port and binding it somebody else may take it, so a chosen port that turns
 * out to be taken is chosen again. A wanted port is tried once: its failure is the caller's to read.
 */
export async function onPort<T>(wanted: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (wanted) return await start(wanted);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (
        attempt === ATTEMPTS ||
        !(error instanceof Error) ||
        !/address already in use/i.test(error.message)
      ) {
        throw error;
      }
    }
  }
}

const ATTEMPTS = 5;

/** A loopback port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
